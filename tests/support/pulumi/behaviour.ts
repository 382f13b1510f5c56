/** What the real services do that the program relies on, resource type by resource type. */
import { createHash } from "node:crypto";

export type Properties = Readonly<Record<string, unknown>>;

export interface Behaviour {
  /** The SDK leaves the physical name to the provider, which adds a suffix. */
  readonly autoNamed?: true;
  /** Changes of these make another object. */
  readonly replaces?: readonly string[];
  /** What the service adds; a key that is also an input is the service's choice while the program names none. */
  readonly computed?: (id: string, inputs: Properties) => Properties;
  /** From old state and new inputs to new state; without it the inputs are the state. */
  readonly update?: (olds: Properties, news: Properties) => Properties;
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly nullable?: boolean;
}

export const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  "aws:ec2/securityGroup:SecurityGroup": {
    autoNamed: true,
    replaces: ["name", "description", "vpcId"],
    computed: (id) => ({ arn: `arn:aws:ec2:::security-group/${id}`, vpcId: "vpc-0default" }),
  },
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {},
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {},
  "aws:iam/role:Role": {
    autoNamed: true,
    replaces: ["name"],
    computed: (id) => ({ arn: `arn:aws:iam::0:role/${id}` }),
  },
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": { replaces: ["role", "policyArn"] },
  "aws:iam/instanceProfile:InstanceProfile": { autoNamed: true, replaces: ["name"] },
  "aws:ec2/instance:Instance": {
    replaces: ["ami", "subnetId"],
    computed: () => ({ publicIp: "203.0.113.10", privateIp: "172.31.0.10", subnetId: "subnet-0default" }),
  },
  "snowflake:index/database:Database": {},
  "snowflake:index/schema:Schema": { replaces: ["database"] },
  "snowflake:index/warehouse:Warehouse": {},
  "snowflake:index/table:Table": { replaces: ["database", "schema"], update: updateTable },
};

/**
 * A table as the provider alters it: columns are matched by name, new ones go behind all others wherever the program has them, and
 * the state is what DESCRIBE then says (terraform-provider-snowflake, pkg/resources/table.go, UpdateTable and ReadTable).
 */
function updateTable(olds: Properties, news: Properties): Properties {
  const before = olds["columns"] as readonly Column[];
  const wanted = news["columns"] as readonly Column[];
  const added = wanted.filter(({ name }) => !before.some((column) => column.name === name));
  for (const column of added) {
    if (column.nullable === false) throw new Error(`Non-nullable column '${column.name}' cannot be added to the table`);
  }
  const kept = before.flatMap(({ name }) => wanted.filter((column) => column.name === name));
  return { ...news, columns: [...kept, ...added] };
}

/** Suffix as the provider would add it, the same for the same resource so that tests can repeat. */
export function autoName(urn: string): string {
  const name = urn.slice(urn.lastIndexOf("::") + 2);
  return `${name}-${createHash("sha256").update(urn).digest("hex").slice(0, 7)}`;
}

/** Functions of the providers that read something. */
export const FUNCTIONS: Readonly<Record<string, (inputs: Properties) => Properties>> = {
  "aws:ssm/getParameter:getParameter": ({ name, withDecryption }) => {
    const known =
      /^\/aws\/service\/canonical\/ubuntu\/server\/24\.04\/stable\/current\/(amd64|arm64)\/hvm\/ebs-gp3\/ami-id$/;
    const architecture = known.exec(String(name))?.[1];
    if (architecture === undefined) throw new Error(`ParameterNotFound: ${String(name)}`);
    const value = `ami-0${architecture}`;
    return { id: name, name, withDecryption, type: "String", version: 1, value, insecureValue: value };
  },
  "aws:ec2/getSubnet:getSubnet": ({ id }) => ({ id, vpcId: `vpc-of-${String(id)}` }),
};
