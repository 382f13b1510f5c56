/** What the real services do that the program relies on, resource type by resource type. */
import { createHash } from "node:crypto";
import { AWS_BEHAVIOURS, AWS_FUNCTIONS } from "./behaviour-aws.ts";

export type Properties = Readonly<Record<string, unknown>>;

export interface Behaviour {
  /** The SDK leaves the physical name to the provider, which adds a suffix. */
  readonly autoNamed?: true;
  /** What its ids begin with, where the program looks at their form. */
  readonly idPrefix?: string;
  /** Where the program chooses it, the id; what has it already is written over. */
  readonly chosenId?: (inputs: Properties) => string;
  /** Ids of what goes with an object, and the engine may know nothing of. */
  readonly takesAlong?: (state: Properties, id: string) => boolean;
  /** Changes of these make another object. */
  readonly replaces?: readonly string[];
  /** What the service adds; a key that is also an input is the service's choice while the program names none. */
  readonly computed?: (id: string, inputs: Properties) => Properties;
  /** From old state and new inputs to new state; without it the inputs are the state. */
  readonly update?: (olds: Properties, news: Properties) => Properties;
  /** Why an object in this state cannot be deleted; undefined if it can. */
  readonly refusesDeletion?: (state: Properties) => string | undefined;
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly nullable?: boolean;
  readonly comment?: string;
}

export const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  ...AWS_BEHAVIOURS,
  "snowflake:index/database:Database": {},
  "snowflake:index/schema:Schema": { replaces: ["database"] },
  "snowflake:index/warehouse:Warehouse": {},
  "snowflake:index/accountRole:AccountRole": {},
  "snowflake:index/grantAccountRole:GrantAccountRole": { replaces: ["roleName", "parentRoleName", "userName"] },
  "snowflake:index/grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole": {
    replaces: ["accountRoleName", "onAccountObject", "onSchema", "onSchemaObject"],
  },
  "snowflake:index/networkPolicy:NetworkPolicy": {},
  "snowflake:index/serviceUser:ServiceUser": {},
  "snowflake:index/execute:Execute": { replaces: ["execute"] },
  "snowflake:index/resourceMonitor:ResourceMonitor": { replaces: ["name"] },
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

/** An id as the service would give it, the same for the same resource. */
export function physicalId(prefix: string, seed: string): string {
  return `${prefix}${createHash("sha256").update(seed).digest("hex").slice(0, 17)}`;
}

/** Suffix as the provider would add it, the same for the same resource so that tests can repeat. */
export function autoName(urn: string): string {
  const name = urn.slice(urn.lastIndexOf("::") + 2);
  return `${name}-${createHash("sha256").update(urn).digest("hex").slice(0, 7)}`;
}

/** Functions of the providers that read something. */
export const FUNCTIONS: Readonly<Record<string, (inputs: Properties) => Properties>> = AWS_FUNCTIONS;
