/** Privileges of the role: all that a loader needs, except those that a test takes away. */

export interface Grant {
  readonly privilege: string;
  /** DATABASE, SCHEMA, TABLE, VIEW, STAGE or WAREHOUSE. */
  readonly on: string;
  /** Without the database: `STAGE.VENDAS`. */
  readonly name: string;
}

/** What a role can be given on an object of a kind. */
export const PRIVILEGES: Readonly<Record<string, readonly string[]>> = {
  DATABASE: ["USAGE"],
  SCHEMA: ["USAGE", "CREATE TABLE", "CREATE VIEW", "CREATE STAGE", "CREATE TEMPORARY TABLE"],
  TABLE: ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"],
  VIEW: ["SELECT"],
  STAGE: ["READ", "WRITE"],
  WAREHOUSE: ["USAGE", "OPERATE", "MONITOR"],
};

/** What a role may do. */
export interface Privileges {
  has(privilege: string, on: string, name: string): boolean;
  /** Whether it has any privilege on the object: without one, the object does not exist for it. */
  sees(on: string, name: string): boolean;
  of(on: string, name: string): readonly Grant[];
}

export class Grants implements Privileges {
  readonly #revoked = new Set<string>();

  has(privilege: string, on: string, name: string): boolean {
    return !this.#revoked.has(key({ privilege, on, name }));
  }

  /** Whether any privilege on the object is left: without one, it does not exist for the role. */
  sees(on: string, name: string): boolean {
    return (PRIVILEGES[on] ?? []).some((privilege) => this.has(privilege, on, name));
  }

  revoke(grant: Grant): void {
    this.#revoked.add(key(grant));
  }

  grant(grant: Grant): void {
    this.#revoked.delete(key(grant));
  }

  /** Those that the role has on an object. */
  of(on: string, name: string): readonly Grant[] {
    return (PRIVILEGES[on] ?? [])
      .map((privilege) => ({ privilege, on, name }))
      .filter((grant) => this.has(grant.privilege, on, name));
  }
}

function key({ privilege, on, name }: Grant): string {
  return JSON.stringify([privilege.toUpperCase(), on.toUpperCase(), name]);
}
