import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { identifier } from "../../../../runtime/core/sql.ts";
import {
  missingPrivileges,
  parsePath,
  privilegeFindings,
  type Grant,
  type Held,
  type Need,
} from "../../../../runtime/warehouse/snowflake/privileges.ts";

const TABLE: Need = { kind: "TABLE", path: ["DB", "STAGE", "SALES"], privileges: ["SELECT", "INSERT"] };
const SCHEMA: Need = { kind: "SCHEMA", path: ["DB", "PIPELINE"], privileges: ["USAGE", "CREATE TABLE"] };
const WAREHOUSE: Need = { kind: "WAREHOUSE", path: ["WH"], privileges: ["USAGE", "OPERATE"] };

const grant = (privilege: string, on: string, ...path: string[]): Grant => ({ privilege, on, path });
const held = (primary: Grant[], secondary: Grant[] = [], unread: string[] = []): Held => ({
  primary,
  secondary,
  unread,
});

describe("parsePath", () => {
  it.each([
    ["DB.STAGE.SALES", ["DB", "STAGE", "SALES"]],
    ['DB."my schema"."a.b"', ["DB", "my schema", "a.b"]],
    ['"say ""hi"""', ['say "hi"']],
    ["DEFAULT_WH", ["DEFAULT_WH"]],
  ])("reads %s", (text, path) => {
    expect(parsePath(text)).toEqual(path);
  });

  it("gives back every path that was quoted", () => {
    const part = fc.string({ minLength: 1 }).filter((text) => !text.includes("\0"));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), (path) => {
        expect(parsePath(identifier(...path))).toEqual(path);
      }),
    );
  });
});

describe("missingPrivileges", () => {
  it("finds what nothing gives", () => {
    expect(missingPrivileges(TABLE, held([]))).toEqual(["SELECT", "INSERT"]);
    expect(missingPrivileges(TABLE, held([grant("SELECT", "TABLE", "DB", "STAGE", "SALES")]))).toEqual(["INSERT"]);
  });

  it("takes OWNERSHIP for all of them, but only on the object itself", () => {
    expect(missingPrivileges(TABLE, held([grant("OWNERSHIP", "TABLE", "DB", "STAGE", "SALES")]))).toEqual([]);
    expect(missingPrivileges(TABLE, held([grant("OWNERSHIP", "SCHEMA", "DB", "STAGE")]))).toEqual(["SELECT", "INSERT"]);
  });

  it("does not confuse objects of one name", () => {
    const elsewhere = [
      grant("SELECT", "TABLE", "OTHER", "STAGE", "SALES"),
      grant("INSERT", "VIEW", "DB", "STAGE", "SALES"),
    ];
    expect(missingPrivileges(TABLE, held(elsewhere))).toEqual(["SELECT", "INSERT"]);
  });

  it("takes any privilege on a schema for its USAGE, but none for CREATE", () => {
    expect(missingPrivileges(SCHEMA, held([grant("MONITOR", "SCHEMA", "DB", "PIPELINE")]))).toEqual(["CREATE TABLE"]);
    expect(missingPrivileges(SCHEMA, held([grant("CREATE TABLE", "SCHEMA", "DB", "PIPELINE")]))).toEqual([]);
  });

  it("lets secondary roles give everything but CREATE", () => {
    const all = [grant("OWNERSHIP", "SCHEMA", "DB", "PIPELINE"), grant("OWNERSHIP", "TABLE", "DB", "STAGE", "SALES")];
    expect(missingPrivileges(TABLE, held([], all))).toEqual([]);
    expect(missingPrivileges(SCHEMA, held([], all))).toEqual(["CREATE TABLE"]);
  });

  it("takes MANAGE WAREHOUSES for OPERATE, not for USAGE", () => {
    expect(missingPrivileges(WAREHOUSE, held([grant("MANAGE WAREHOUSES", "ACCOUNT", "ACME")]))).toEqual(["USAGE"]);
  });
});

describe("privilegeFindings", () => {
  it("gives the statement that grants exactly what is missing", () => {
    expect(
      privilegeFindings([TABLE, SCHEMA], held([grant("SELECT", "TABLE", "DB", "STAGE", "SALES")]), "LOADER"),
    ).toEqual([
      {
        check: "privileges on SALES",
        status: "failed",
        detail: "Role LOADER has no INSERT on table DB.STAGE.SALES.",
        remedy: 'GRANT INSERT ON TABLE "DB"."STAGE"."SALES" TO ROLE "LOADER";',
      },
      {
        check: "privileges on PIPELINE",
        status: "failed",
        detail: "Role LOADER has no USAGE, CREATE TABLE on schema DB.PIPELINE.",
        remedy: 'GRANT USAGE, CREATE TABLE ON SCHEMA "DB"."PIPELINE" TO ROLE "LOADER";',
      },
    ]);
  });

  it("claims nothing where a role could not be looked into", () => {
    expect(privilegeFindings([TABLE], held([], [], ["SYSADMIN"]), "LOADER")).toMatchObject([
      { status: "warning", detail: expect.stringContaining("may come from SYSADMIN") },
    ]);
  });

  it("says that all is there", () => {
    const findings = privilegeFindings([TABLE], held([grant("OWNERSHIP", "TABLE", "DB", "STAGE", "SALES")]), "LOADER");
    expect(findings).toEqual([
      { check: "privileges", status: "ok", detail: "Role LOADER has all 2 that a batch needs." },
    ]);
  });
});
