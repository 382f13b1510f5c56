/** Which privileges a batch needs, and whether a role has them. Pure functions. */
import { failed, ok, warning, type Finding } from "../../core/finding.ts";
import { identifier } from "../../core/sql.ts";

type ObjectKind = "DATABASE" | "SCHEMA" | "TABLE" | "WAREHOUSE";

/** Privileges on one object, that must all be there. */
export interface Need {
  readonly kind: ObjectKind;
  /** From the database down; names as Snowflake has them. */
  readonly path: readonly string[];
  readonly privileges: readonly string[];
}

/** A row of SHOW GRANTS TO ROLE. */
export interface Grant {
  readonly privilege: string;
  /** `TABLE`, `ROLE`, `DATABASE_ROLE`, … */
  readonly on: string;
  readonly path: readonly string[];
}

/**
 * What roles hold. A role that a role was granted to is the role's too; secondary roles count for everything but CREATE
 * (https://docs.snowflake.com/en/user-guide/security-access-control-overview#label-access-control-role-enforcement).
 */
export interface Held {
  readonly primary: readonly Grant[];
  readonly secondary: readonly Grant[];
  /** Roles whose grants could not be read: what seems to be missing may come from them. */
  readonly unread: readonly string[];
}

/** `DB."my schema".T` as it stands in SHOW GRANTS → its parts. */
export function parsePath(text: string): readonly string[] {
  const parts = text.matchAll(/"((?:[^"]|"")*)"|([^".]+)/g);
  return Array.from(parts, ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? "");
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((part, index) => part === right[index]);
}

/** The privileges of a need that nothing gives. */
export function missingPrivileges({ kind, path, privileges }: Need, { primary, secondary }: Held): readonly string[] {
  const on = (grants: readonly Grant[]): readonly string[] =>
    grants.filter((grant) => grant.on === kind && isSame(grant.path, path)).map(({ privilege }) => privilege);
  const own = on(primary);
  const all = [...own, ...on(secondary)];
  const managesWarehouses = [...primary, ...secondary].some(({ privilege }) => privilege === "MANAGE WAREHOUSES");
  return privileges.filter((privilege) => {
    const held = privilege.startsWith("CREATE ") ? own : all;
    // ALL is granted as its parts, and so shows as those.
    if (held.includes(privilege) || held.includes("OWNERSHIP")) return false;
    // Any privilege on a database or schema opens the way to what is in it:
    // https://docs.snowflake.com/en/sql-reference/sql/create-table#access-control-requirements
    if (privilege === "USAGE" && (kind === "DATABASE" || kind === "SCHEMA")) return held.length === 0;
    if (privilege === "OPERATE" && kind === "WAREHOUSE") return !managesWarehouses;
    return true;
  });
}

/** Whether following further roles could still change anything. */
export function isSatisfied(needs: readonly Need[], held: Held): boolean {
  return needs.every((need) => missingPrivileges(need, held).length === 0);
}

/** `GRANT INSERT, UPDATE ON TABLE "NOVADRIVE"."STAGE"."VENDAS" TO ROLE "LOADER";` */
export function grantStatement({ kind, path, privileges }: Need, role: string): string {
  return `GRANT ${privileges.join(", ")} ON ${kind} ${identifier(...path)} TO ROLE ${identifier(role)};`;
}

/** A finding for each object on which something is missing, or one that all is there. */
export function privilegeFindings(needs: readonly Need[], held: Held, role: string): readonly Finding[] {
  const findings = needs.flatMap((need) => {
    const privileges = missingPrivileges(need, held);
    if (privileges.length === 0) return [];
    const check = `privileges on ${need.path.at(-1) ?? ""}`;
    const grant = grantStatement({ ...need, privileges }, role);
    const lacking = `${privileges.join(", ")} on ${need.kind.toLowerCase()} ${need.path.join(".")}`;
    if (held.unread.length === 0) return [failed(check, `Role ${role} has no ${lacking}.`, grant)];
    return [
      warning(
        check,
        `Whether role ${role} has ${lacking} could not be proven: it may come from ${held.unread.join(", ")}, whose grants it does not see.`,
        `If a batch fails for lack of it: ${grant}`,
      ),
    ];
  });
  if (findings.length > 0) return findings;
  const count = needs.reduce((sum, { privileges }) => sum + privileges.length, 0);
  return [ok("privileges", `Role ${role} has all ${count} that a batch needs.`)];
}
