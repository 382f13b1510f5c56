import { expect, it } from "vitest";
import { NovaError } from "../../../../runtime/core/errors.ts";
import { missingPrivileges, type Need } from "../../../../runtime/warehouse/snowflake/privileges.ts";
import { readPrivileges } from "../../../../runtime/warehouse/snowflake/read-privileges.ts";
import { scriptedSessions, table } from "./scripted-sessions.ts";

const NEED: Need = { kind: "TABLE", path: ["DB", "STAGE", "SALES"], privileges: ["SELECT"] };
const SELECT = ["SELECT", "TABLE", "DB.STAGE.SALES"] as const;
const role = (name: string) => ["USAGE", "ROLE", name] as const;

/** What each role was granted; a role that is not named is none that may be looked into. */
function read(grants: Readonly<Record<string, readonly (readonly string[])[]>>, secondaryRoles: string | null = null) {
  const session = scriptedSessions((sql) => {
    const name = sql.replace("SHOW GRANTS TO ", "").replaceAll('"', "");
    const rows = grants[name];
    if (!rows) throw new NovaError("WAREHOUSE_QUERY_FAILED", `Insufficient privileges to operate on ${name}`);
    return table("created_on privilege granted_on name", ...rows.map((row) => ["2026-01-01", ...row]));
  });
  const held = readPrivileges({ session, role: "LOADER", secondaryRoles, database: "DB", needs: [NEED] });
  return held.then((result) => ({
    ...result,
    missing: missingPrivileges(NEED, result),
    asked: session.sent.map(({ sql }) => sql.replace("SHOW GRANTS TO ", "").replaceAll('"', "")),
  }));
}

it("asks for no more than it needs", async () => {
  const { missing, asked } = await read({ "ROLE LOADER": [SELECT, role("OTHER")] });
  expect(missing).toEqual([]);
  expect(asked).toEqual(["ROLE LOADER"]);
});

it("follows roles that were granted to the role, and theirs, around a circle once", async () => {
  const { missing, asked } = await read({
    "ROLE LOADER": [role("A")],
    "ROLE A": [role("B"), role("LOADER")],
    "ROLE B": [role("A"), SELECT],
  });
  expect(missing).toEqual([]);
  expect(asked).toEqual(["ROLE LOADER", "ROLE A", "ROLE B"]);
});

it("names a role of the database as one that it could not look into; those of others and of applications hold nothing here", async () => {
  const { missing, unread, asked } = await read({
    "ROLE LOADER": [
      ["USAGE", "DATABASE_ROLE", "SNOWFLAKE.VIEWER"],
      ["USAGE", "APPLICATION_ROLE", "APP.USER"],
      ["OWNERSHIP", "ROLE", "OWNED"],
      ["USAGE", "DATABASE_ROLE", "DB.WRITER"],
    ],
    "ROLE PUBLIC": [],
  });
  expect(missing).toEqual(["SELECT"]);
  expect(unread).toEqual(["DB.WRITER"]);
  expect(asked).toEqual(["ROLE LOADER", "ROLE PUBLIC"]);
});

it("knows that everybody has what PUBLIC has", async () => {
  expect((await read({ "ROLE LOADER": [], "ROLE PUBLIC": [SELECT] })).missing).toEqual([]);
});

it("counts secondary roles of the session", async () => {
  const grants = { "ROLE LOADER": [], "ROLE PUBLIC": [], "ROLE ANALYST": [SELECT] };
  expect((await read(grants, '{"roles":"ANALYST,ORGADMIN","value":"ALL"}')).missing).toEqual([]);
  expect((await read(grants, '{"roles":"","value":""}')).missing).toEqual(["SELECT"]);
  expect((await read(grants, null)).missing).toEqual(["SELECT"]);
});

it("names the roles whose grants are not shown", async () => {
  const { missing, unread } = await read({ "ROLE LOADER": [role("HIDDEN")], "ROLE PUBLIC": [] });
  expect(missing).toEqual(["SELECT"]);
  expect(unread).toEqual(["HIDDEN"]);
});

it("stops in a hierarchy of hundreds, and names what it left out", async () => {
  const many = Array.from({ length: 60 }, (_, index) => `R${index}`);
  const { unread, asked } = await read({
    "ROLE LOADER": many.map(role),
    "ROLE PUBLIC": [],
    ...Object.fromEntries(many.map((name) => [`ROLE ${name}`, []])),
  });
  expect(asked).toHaveLength(40);
  expect(unread).toHaveLength(22);
});
