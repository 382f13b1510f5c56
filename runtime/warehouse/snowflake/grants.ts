/** The GRANT that a role lacks, as text for a remedy. */
import { identifier } from "../../core/sql.ts";
import type { SnowflakeTarget } from "./warehouse-url.ts";

export interface Lack {
  readonly target: SnowflakeTarget;
  /** As Snowflake's messages say it: table, schema, stage, warehouse, database, view, account. */
  readonly kind: string;
  /** As Snowflake's messages give it: bare or quoted, alone or with its path. */
  readonly name: string;
  /** The statement that was refused. */
  readonly sql: string;
}

/** `GRANT SELECT ON TABLE "DB"."S"."T" TO ROLE "R";` */
export function missingGrant({ target, kind, name, sql }: Lack): string {
  const role = identifier(target.role);
  const object = kind.toUpperCase();
  switch (object) {
    case "WAREHOUSE":
      return warehouseGrant(target);
    case "DATABASE":
      return `GRANT USAGE ON DATABASE ${identifier(target.database)} TO ROLE ${role};`;
    case "SCHEMA":
      return `GRANT ${schemaPrivilege(sql)} ON SCHEMA ${path(target, name, 2)} TO ROLE ${role};`;
    case "STAGE":
      return `GRANT READ, WRITE ON STAGE ${path(target, name, 3)} TO ROLE ${role};`;
    case "ACCOUNT":
    case "INTEGRATION":
    case "USER":
      return `-- as ACCOUNTADMIN: grant what the message names on the ${kind.toLowerCase()} to role ${role}`;
    case "VIEW":
      return `GRANT ${tablePrivilege(sql)} ON VIEW ${path(target, name, 3)} TO ROLE ${role};`;
    default:
      return `GRANT ${tablePrivilege(sql)} ON TABLE ${path(target, name, 3)} TO ROLE ${role};`;
  }
}

export function warehouseGrant({ warehouse, role }: SnowflakeTarget): string {
  return `GRANT USAGE, OPERATE ON WAREHOUSE ${identifier(warehouse)} TO ROLE ${identifier(role)};`;
}

function schemaPrivilege(sql: string): string {
  const made =
    /^\s*create\s+(?:or\s+replace\s+)?(?:transient\s+|temporary\s+|temp\s+|local\s+)*(table|view|stage|sequence)/i.exec(
      sql,
    );
  return made?.[1] === undefined ? "USAGE" : `USAGE, CREATE ${made[1].toUpperCase()}`;
}

/** Who may alter, replace or drop a table owns it; there is no lesser privilege. */
function tablePrivilege(sql: string): string {
  const verb = /^\s*(\w+)/.exec(sql)?.[1]?.toUpperCase() ?? "";
  if (["ALTER", "DROP", "CREATE", "COMMENT"].includes(verb)) return "OWNERSHIP";
  if (["INSERT", "COPY"].includes(verb)) return "SELECT, INSERT";
  if (["UPDATE", "DELETE", "MERGE", "TRUNCATE"].includes(verb)) return "SELECT, INSERT, UPDATE, DELETE, TRUNCATE";
  return "SELECT";
}

/** The name with its whole path: what the message leaves out in front is the session's database, or is left to the reader. */
function path({ database }: SnowflakeTarget, name: string, depth: number): string {
  const parts = [...name.matchAll(/"((?:[^"]|"")+)"|([^".]+)/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? "",
  );
  if (parts.length === depth - 1) parts.unshift(database);
  return parts.length === 0 ? identifier(database) : identifier(...parts);
}
