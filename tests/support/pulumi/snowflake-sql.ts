/** The statements that the Snowflake provider sends for each resource, as far as the program uses it (terraform-provider-snowflake, pkg/sdk). */
import { literal } from "../../../runtime/core/sql.ts";
import type { Column, Properties } from "./behaviour.ts";

/** What a resource is to SQL. Each part gives the statements in their order. */
interface Statements {
  create(inputs: Properties): readonly string[];
  /** Without it, a resource is replaced by any change. */
  update?(olds: Properties, news: Properties): readonly string[];
  delete(state: Properties): readonly string[];
}

const STATEMENTS: Readonly<Record<string, Statements>> = {
  "snowflake:index/database:Database": {
    create: ({ name, comment, dropPublicSchemaOnCreation }) => [
      `CREATE DATABASE ${quoted(name)}${commentOption(comment)}`,
      ...(dropPublicSchemaOnCreation === true ? [`DROP SCHEMA IF EXISTS ${quoted(name)}."PUBLIC"`] : []),
    ],
    delete: ({ name }) => [`DROP DATABASE IF EXISTS ${quoted(name)}`],
  },
  "snowflake:index/schema:Schema": {
    create: ({ database, name, comment, withManagedAccess }) => [
      `CREATE SCHEMA ${path(database, name)}${withManagedAccess === "true" ? " WITH MANAGED ACCESS" : ""}${commentOption(comment)}`,
    ],
    delete: ({ database, name }) => [`DROP SCHEMA IF EXISTS ${path(database, name)}`],
  },
  "snowflake:index/warehouse:Warehouse": {
    create: (inputs) => [
      `CREATE WAREHOUSE ${quoted(inputs["name"])} ${warehouseOptions(inputs)} INITIALLY_SUSPENDED = ${String(inputs["initiallySuspended"])}`,
    ],
    update: (_olds, news) => [`ALTER WAREHOUSE ${quoted(news["name"])} SET ${warehouseOptions(news)}`],
    delete: ({ name }) => [`DROP WAREHOUSE IF EXISTS ${quoted(name)}`],
  },
  "snowflake:index/table:Table": {
    create: (inputs) => [
      `CREATE TABLE ${tablePath(inputs)} (${columnsOf(inputs).map(definition).join(", ")})${commentOption(inputs["comment"])}`,
    ],
    update: alterTable,
    delete: (state) => [`DROP TABLE IF EXISTS ${tablePath(state)}`],
  },
  "snowflake:index/accountRole:AccountRole": {
    create: ({ name, comment }) => [`CREATE ROLE ${quoted(name)}${commentOption(comment)}`],
    delete: ({ name }) => [`DROP ROLE IF EXISTS ${quoted(name)}`],
  },
  "snowflake:index/grantAccountRole:GrantAccountRole": {
    create: (inputs) => [`GRANT ROLE ${quoted(inputs["roleName"])} TO ${grantee(inputs)}`],
    delete: (state) => [`REVOKE ROLE ${quoted(state["roleName"])} FROM ${grantee(state)}`],
  },
  "snowflake:index/grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole": {
    create: (inputs) => [`GRANT ${privilegesOn(inputs)} TO ROLE ${quoted(inputs["accountRoleName"])}`],
    update: (olds, news) => {
      const [before, after] = [privilegesOf(olds), privilegesOf(news)];
      const [lost, won] = [before.filter((one) => !after.includes(one)), after.filter((one) => !before.includes(one))];
      const role = quoted(news["accountRoleName"]);
      return [
        ...(won.length > 0 ? [`GRANT ${privilegesOn({ ...news, privileges: won })} TO ROLE ${role}`] : []),
        ...(lost.length > 0 ? [`REVOKE ${privilegesOn({ ...news, privileges: lost })} FROM ROLE ${role}`] : []),
      ];
    },
    delete: (state) => [`REVOKE ${privilegesOn(state)} FROM ROLE ${quoted(state["accountRoleName"])}`],
  },
  "snowflake:index/networkPolicy:NetworkPolicy": {
    create: (inputs) => [
      `CREATE NETWORK POLICY ${quoted(inputs["name"])} ${allowed(inputs)}${commentOption(inputs["comment"])}`,
    ],
    update: (_olds, news) => [`ALTER NETWORK POLICY ${quoted(news["name"])} SET ${allowed(news)}`],
    delete: ({ name }) => [`DROP NETWORK POLICY IF EXISTS ${quoted(name)}`],
  },
  "snowflake:index/serviceUser:ServiceUser": {
    create: (inputs) => [`CREATE USER ${quoted(inputs["name"])} TYPE = SERVICE${options(userOptions(inputs))}`],
    update: (olds, news) => {
      const [before, after] = [userOptions(olds), userOptions(news)];
      const set = Object.fromEntries(Object.entries(after).filter(([key, value]) => before[key] !== value));
      const unset = Object.keys(before).filter((key) => !(key in after));
      const user = `ALTER USER ${quoted(news["name"])}`;
      return [
        ...(Object.keys(set).length > 0 ? [`${user} SET${options(set)}`] : []),
        ...unset.map((key) => `${user} UNSET ${key}`),
      ];
    },
    delete: ({ name }) => [`DROP USER IF EXISTS ${quoted(name)}`],
  },
  "snowflake:index/execute:Execute": {
    create: ({ execute }) => [String(execute)],
    update: () => [],
    delete: ({ revert }) => [String(revert)],
  },
};

/**
 * @param olds state of the object, undefined when it is made
 * @param news its inputs, undefined when it is dropped
 * @throws Error for a resource that has no statements, or that the provider could not change in place
 */
export function statementsFor(
  type: string,
  olds: Properties | undefined,
  news: Properties | undefined,
): readonly string[] {
  const statements = STATEMENTS[type];
  if (!statements) throw new Error(`The stand-in has no statements for ${type}`);
  if (!news) return olds ? statements.delete(olds) : [];
  if (!olds) return statements.create(news);
  if (!statements.update) throw new Error(`The stand-in has no statement that alters ${type}`);
  return statements.update(olds, news);
}

/** Columns that are gone are dropped with what is in them, without a question. */
function alterTable(olds: Properties, news: Properties): readonly string[] {
  const alter = `ALTER TABLE ${tablePath(news)}`;
  const [before, after] = [columnsOf(olds), columnsOf(news)];
  const dropped = before.filter(({ name }) => !after.some((column) => column.name === name));
  const changed = after.flatMap((column) => {
    const old = before.find(({ name }) => name === column.name);
    if (!old) return [`${alter} ADD COLUMN ${definition(column)}`];
    const name = quoted(column.name);
    return [
      ...(old.type === column.type ? [] : [`${alter} ALTER COLUMN ${name} SET DATA TYPE ${column.type}`]),
      ...(old.comment === column.comment ? [] : [`${alter} ALTER COLUMN ${name}${comment(column.comment ?? "")}`]),
    ];
  });
  return [
    ...(olds["comment"] === news["comment"] ? [] : [`${alter} SET${commentOption(news["comment"] ?? "")}`]),
    ...(dropped.length > 0 ? [`${alter} DROP COLUMN ${dropped.map(({ name }) => quoted(name)).join(", ")}`] : []),
    ...changed,
  ];
}

function quoted(name: unknown): string {
  return `"${String(name).replaceAll('"', '""')}"`;
}

function path(...names: readonly unknown[]): string {
  return names.map(quoted).join(".");
}

function tablePath({ database, schema, name }: Properties): string {
  return path(database, schema, name);
}

function columnsOf({ columns }: Properties): readonly Column[] {
  return columns as readonly Column[];
}

function definition({ name, type, nullable, comment: remark }: Column): string {
  return `${quoted(name)} ${type}${nullable === false ? " NOT NULL" : ""}${remark ? comment(remark) : ""}`;
}

function text(value: unknown): string {
  return literal(String(value), "backslash-escapes");
}

function comment(remark: string): string {
  return ` COMMENT ${text(remark)}`;
}

function commentOption(remark: unknown): string {
  return remark === undefined ? "" : ` COMMENT = ${text(remark)}`;
}

function options(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([key, value]) => ` ${key} = ${value}`)
    .join("");
}

function warehouseOptions(inputs: Properties): string {
  return [
    `WAREHOUSE_SIZE = ${text(inputs["warehouseSize"])}`,
    `AUTO_SUSPEND = ${String(inputs["autoSuspend"])}`,
    `AUTO_RESUME = ${String(inputs["autoResume"])}`,
    `STATEMENT_TIMEOUT_IN_SECONDS = ${String(inputs["statementTimeoutInSeconds"])}`,
    `COMMENT = ${text(inputs["comment"])}`,
  ].join(" ");
}

function grantee({ parentRoleName, userName }: Properties): string {
  return parentRoleName === undefined ? `USER ${quoted(userName)}` : `ROLE ${quoted(parentRoleName)}`;
}

interface Plural {
  readonly objectTypePlural: string;
  readonly inSchema: string;
}

function privilegesOn(inputs: Properties): string {
  const privileges = privilegesOf(inputs).join(", ");
  const object = inputs["onAccountObject"] as { readonly objectType: string; readonly objectName: string } | undefined;
  if (object) return `${privileges} ON ${object.objectType} ${quoted(object.objectName)}`;
  const schema = inputs["onSchema"] as { readonly schemaName: string } | undefined;
  if (schema) return `${privileges} ON SCHEMA ${schema.schemaName}`;
  const { all, future } = inputs["onSchemaObject"] as { readonly all?: Plural; readonly future?: Plural };
  const objects = all ?? future;
  if (!objects) throw new Error("A grant on nothing that the stand-in knows");
  return `${privileges} ON ${all ? "ALL" : "FUTURE"} ${objects.objectTypePlural} IN SCHEMA ${objects.inSchema}`;
}

function privilegesOf({ privileges }: Properties): readonly string[] {
  return privileges as readonly string[];
}

function allowed({ allowedIpLists }: Properties): string {
  return `ALLOWED_IP_LIST = (${(allowedIpLists as readonly string[]).map(text).join(", ")})`;
}

/** By option, those that have a value. */
function userOptions(inputs: Properties): Readonly<Record<string, string>> {
  const values = {
    COMMENT: [inputs["comment"], text],
    DEFAULT_ROLE: [inputs["defaultRole"], quoted],
    DEFAULT_WAREHOUSE: [inputs["defaultWarehouse"], quoted],
    DEFAULT_NAMESPACE: [inputs["defaultNamespace"], quoted],
    DEFAULT_SECONDARY_ROLES: [inputs["defaultSecondaryRolesOption"] === "NONE" ? "()" : undefined, String],
    RSA_PUBLIC_KEY: [inputs["rsaPublicKey"], text],
    RSA_PUBLIC_KEY_2: [inputs["rsaPublicKey2"], text],
    NETWORK_POLICY: [inputs["networkPolicy"], quoted],
  } as const;
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, [value, write]]) => (value === undefined ? [] : [[key, write(value)]])),
  );
}
