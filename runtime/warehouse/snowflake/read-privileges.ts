/** Reads what a role holds, by itself and through the roles that were granted to it; no further than is needed. */
import { z } from "zod";
import { isSatisfied, parsePath, type Grant, type Held, type Need } from "./privileges.ts";
import { named } from "./rows.ts";
import { showGrantsToRole } from "./sql/diagnose.ts";
import type { SnowflakeSession } from "./statement.ts";

export interface ReadPrivilegesOptions {
  readonly session: SnowflakeSession;
  readonly role: string;
  /** As CURRENT_SECONDARY_ROLES gives it. */
  readonly secondaryRoles: string | null;
  readonly database: string;
  /** Once the role has all of these, nothing more is asked. */
  readonly needs: readonly Need[];
}

/** Roles that are looked into before the rest counts as unread; hierarchies of administrators have hundreds. */
const MOST_ROLES = 40;
/** Every role and user has what was granted to it: https://docs.snowflake.com/en/user-guide/security-access-control-overview#system-defined-roles */
const EVERYBODY = "PUBLIC";

/** A role by the words of SHOW GRANTS. */
interface Role {
  readonly kind: "ROLE" | "DATABASE_ROLE";
  readonly path: readonly string[];
  readonly isPrimary: boolean;
}

const key = ({ kind, path }: Role): string => JSON.stringify([kind, path]);

export async function readPrivileges(options: ReadPrivilegesOptions): Promise<Held> {
  const { session, role, secondaryRoles, database, needs } = options;
  const held = { primary: [] as Grant[], secondary: [] as Grant[], unread: [] as string[] };
  const waiting: Role[] = [
    { kind: "ROLE", path: [role], isPrimary: true },
    { kind: "ROLE", path: [EVERYBODY], isPrimary: true },
    ...readSecondary(secondaryRoles).map((name): Role => ({ kind: "ROLE", path: [name], isPrimary: false })),
  ];
  const seen = new Set(waiting.map(key));
  for (let looked = 0; waiting.length > 0 && !isSatisfied(needs, held); looked++) {
    const next = waiting.shift();
    if (!next) break;
    if (looked >= MOST_ROLES) {
      held.unread.push(next.path.join("."));
      continue;
    }
    // SHOW GRANTS is documented for roles of the account only.
    const grants = next.kind === "ROLE" ? await grantsTo(session, next).catch(() => undefined) : undefined;
    if (!grants) {
      held.unread.push(next.path.join("."));
      continue;
    }
    (next.isPrimary ? held.primary : held.secondary).push(...grants);
    for (const inherited of inheritedRoles(grants, database)) {
      const child: Role = { ...inherited, isPrimary: next.isPrimary };
      if (seen.has(key(child))) continue;
      seen.add(key(child));
      // What the role itself inherits is likelier to hold than what everybody has.
      if (next.isPrimary) waiting.unshift(child);
      else waiting.push(child);
    }
  }
  return held;
}

async function grantsTo(session: SnowflakeSession, { path }: Role): Promise<readonly Grant[]> {
  const [name = ""] = path;
  return named(await session.run(showGrantsToRole(name)), "privilege", "granted_on", "name").map(
    ({ privilege, granted_on: on, name }) => ({
      privilege: privilege ?? "",
      on: (on ?? "").replaceAll(" ", "_"),
      path: parsePath(name ?? ""),
    }),
  );
}

/**
 * USAGE on a role is the role. A role of another database, or of an application, can hold nothing here:
 * https://docs.snowflake.com/en/user-guide/security-access-control-overview#types-of-roles
 */
function inheritedRoles(grants: readonly Grant[], database: string): Omit<Role, "isPrimary">[] {
  return grants.flatMap(({ privilege, on, path }): Omit<Role, "isPrimary">[] => {
    if (privilege !== "USAGE") return [];
    if (on === "ROLE") return [{ kind: on, path }];
    return on === "DATABASE_ROLE" && path.length === 2 && path[0] === database ? [{ kind: on, path }] : [];
  });
}

const secondarySchema = z.object({ roles: z.string().nullish() });

function readSecondary(json: string | null): readonly string[] {
  if (json === null || json === "") return [];
  try {
    const parsed = secondarySchema.safeParse(JSON.parse(json));
    const names = parsed.success ? (parsed.data.roles ?? "") : "";
    return names.split(",").filter((name) => name !== "");
  } catch {
    return [];
  }
}
