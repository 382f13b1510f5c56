/** Roles that SQL has made: what each was granted, what it owns, and who has it. */
import { PRIVILEGES, type Grant, type Privileges } from "./grants.ts";

export interface RoleGrant extends Grant {
  readonly role: string;
}

/** On every object of a kind that is made in a schema from now on. */
export interface FutureGrant {
  readonly role: string;
  readonly privilege: string;
  /** TABLE or VIEW. */
  readonly on: string;
  readonly schema: string;
}

/** That a role or a user has a role. */
export interface Membership {
  readonly role: string;
  readonly to: "ROLE" | "USER";
  readonly name: string;
}

/** https://docs.snowflake.com/en/user-guide/security-access-control-overview#system-defined-roles */
const SYSTEM_ROLES = new Set(["ACCOUNTADMIN", "SECURITYADMIN", "USERADMIN", "SYSADMIN", "PUBLIC"]);

export class Roles {
  readonly #made = new Set<string>();
  #grants: readonly RoleGrant[] = [];
  #future: readonly FutureGrant[] = [];
  #memberships: readonly Membership[] = [];

  /** In an account where nobody has made a role, there is one, and it may do everything. */
  get none(): boolean {
    return this.#made.size === 0;
  }

  make(name: string): void {
    this.#made.add(name);
  }

  /** @param heir role that owns from now on what the dropped one owned: https://docs.snowflake.com/en/sql-reference/sql/drop-role#usage-notes */
  drop(name: string, heir: string): void {
    this.#made.delete(name);
    const owned = this.#grants.filter((grant) => grant.role === name && grant.privilege === "OWNERSHIP");
    this.#grants = [
      ...this.#grants.filter(({ role }) => role !== name),
      ...owned.map((grant) => ({ ...grant, role: heir })),
    ];
    this.#future = this.#future.filter(({ role }) => role !== name);
    this.#memberships = this.#memberships.filter(
      (membership) => membership.role !== name && !(membership.to === "ROLE" && membership.name === name),
    );
  }

  all(): readonly string[] {
    return [...this.#made];
  }

  isMade(name: string): boolean {
    return this.#made.has(name);
  }

  exists(name: string): boolean {
    return this.#made.has(name) || SYSTEM_ROLES.has(name);
  }

  grant(grant: RoleGrant): void {
    this.revoke(grant);
    this.#grants = [...this.#grants, grant];
  }

  revoke(grant: RoleGrant): void {
    this.#grants = this.#grants.filter((one) => !isSame(one, grant));
  }

  grantFuture(grant: FutureGrant): void {
    this.revokeFuture(grant);
    this.#future = [...this.#future, grant];
  }

  revokeFuture(grant: FutureGrant): void {
    this.#future = this.#future.filter((one) => !isSame(one, grant));
  }

  admit(membership: Membership): void {
    this.dismiss(membership);
    this.#memberships = [...this.#memberships, membership];
  }

  dismiss(membership: Membership): void {
    this.#memberships = this.#memberships.filter((one) => !isSame(one, membership));
  }

  /** By itself, not through another role. */
  hasRole(to: "ROLE" | "USER", name: string, role: string): boolean {
    return this.#memberships.some((one) => one.to === to && one.name === name && one.role === role);
  }

  grantsTo(role: string): readonly RoleGrant[] {
    return this.#grants.filter((grant) => grant.role === role);
  }

  grantsOn(on: string, name: string): readonly RoleGrant[] {
    return this.#grants.filter((grant) => grant.on === on && grant.name === name);
  }

  ownerOf(on: string, name: string): string | undefined {
    return this.grantsOn(on, name).find(({ privilege }) => privilege === "OWNERSHIP")?.role;
  }

  futureGrantsTo(role: string): readonly FutureGrant[] {
    return this.#future.filter((grant) => grant.role === role);
  }

  rolesOf(to: "ROLE" | "USER", name: string): readonly string[] {
    return this.#memberships.filter((one) => one.to === to && one.name === name).map(({ role }) => role);
  }

  /** What a role may do, by itself and through the roles that it has. */
  privilegesOf(role: string): Privileges {
    const held = (on: string, name: string): readonly RoleGrant[] => {
      const roles = this.#withInherited(role);
      return this.grantsOn(on, name).filter((grant) => roles.has(grant.role));
    };
    return {
      has: (privilege, on, name) =>
        held(on, name).some((grant) => grant.privilege === privilege || grant.privilege === "OWNERSHIP"),
      sees: (on, name) => held(on, name).length > 0,
      of: (on, name) => held(on, name),
    };
  }

  /** Who makes an object owns it; those who were granted the ones to come have it too. */
  made(owner: string, on: string, name: string): void {
    this.gone(on, name);
    this.grant({ role: owner, privilege: "OWNERSHIP", on, name });
    const [schema = ""] = name.split(".");
    for (const future of this.#future) {
      if (future.on === on && future.schema === schema) {
        this.grant({ role: future.role, privilege: future.privilege, on, name });
      }
    }
  }

  /** With an object goes what is in it. */
  gone(on: string, name: string): void {
    const isIn = (one: { readonly on: string; readonly name: string }): boolean =>
      (one.on === on && one.name === name) ||
      (on === "SCHEMA" && one.name.startsWith(`${name}.`)) ||
      (on === "DATABASE" && IN_DATABASE.has(one.on));
    this.#grants = this.#grants.filter((grant) => !isIn(grant));
    this.#future = this.#future.filter(({ schema }) => on !== "DATABASE" && !(on === "SCHEMA" && schema === name));
    this.#memberships = this.#memberships.filter((one) => !(on === "USER" && one.to === "USER" && one.name === name));
  }

  renamed(on: string, from: string, to: string): void {
    this.#grants = this.#grants.map((grant) =>
      grant.on === on && grant.name === from ? { ...grant, name: to } : grant,
    );
  }

  #withInherited(role: string): ReadonlySet<string> {
    const roles = new Set([role]);
    for (const one of roles) for (const inherited of this.rolesOf("ROLE", one)) roles.add(inherited);
    return roles;
  }
}

const IN_DATABASE = new Set(Object.keys(PRIVILEGES).filter((on) => on !== "DATABASE" && on !== "WAREHOUSE"));

function isSame(a: object, b: object): boolean {
  return Object.entries(b).every(([key, value]) => Reflect.get(a, key) === value);
}
