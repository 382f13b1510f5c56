/** The roles: exactly these grants, enough for everything that the runtime asks for, and nothing that it does not. */
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { ROLES, WarehouseAccess } from "../../infra/snowflake/access.ts";
import { stageSchemaNames, WarehouseDatabase } from "../../infra/snowflake/database.ts";
import { readManifest } from "../../runtime/manifest/read.ts";
import { schemaNeeds, tableNeed, warehouseNeed } from "../../runtime/warehouse/snowflake/needs.ts";
import { missingPrivileges, parsePath, type Grant, type Need } from "../../runtime/warehouse/snowflake/privileges.ts";
import { recordComponent, type MockedProgram } from "../support/pulumi/mocked-program.ts";

const GRANT = "snowflake:index/grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole";
const ROLE_GRANT = "snowflake:index/grantAccountRole:GrantAccountRole";

const manifest = readManifest(join(import.meta.dirname, "../../sql/models/manifest.yml"));

function record(readerSeesStage: boolean, prefix = "NOVADRIVE", protect = false): Promise<MockedProgram> {
  const stageSchemas = stageSchemaNames(manifest.tables);
  return recordComponent(() => {
    const warehouse = new WarehouseDatabase("novadrive", {
      database: "NOVADRIVE",
      warehouse: "DEFAULT_WH",
      size: "XSMALL",
      autoSuspendSeconds: 60,
      statementTimeoutSeconds: 3600,
      stageSchemas,
    });
    const access = new WarehouseAccess(
      "novadrive",
      {
        prefix,
        database: warehouse.databaseName,
        warehouse: warehouse.warehouseName,
        schemas: warehouse.schemaNames,
        stageSchemas,
        readerSeesStage,
      },
      { protect },
    );
    return { roleNames: access.roleNames, runtimeRole: access.runtimeRole };
  });
}

interface Target {
  readonly onAccountObject?: { readonly objectType: string; readonly objectName: string };
  readonly onSchema?: { readonly schemaName: string };
  readonly onSchemaObject?: Readonly<
    Partial<Record<"all" | "future", { readonly objectTypePlural: string; readonly inSchema: string }>>
  >;
}

type GrantInputs = Target & { readonly accountRoleName: string; readonly privileges: readonly string[] };

function grantsOf(program: MockedProgram): readonly GrantInputs[] {
  return program.all(GRANT).map(({ inputs }) => inputs as unknown as GrantInputs);
}

/** The statement that a grant stands for. */
function sentence(grant: GrantInputs): string {
  return `${grant.privileges.join(", ")} ON ${target(grant)} TO ${grant.accountRoleName}`;
}

function target({ onAccountObject, onSchema, onSchemaObject }: Target): string {
  if (onAccountObject) return `${onAccountObject.objectType} ${onAccountObject.objectName}`;
  if (onSchema) return `SCHEMA ${onSchema.schemaName}`;
  const [which, objects] = Object.entries(onSchemaObject ?? {})[0] ?? [];
  return `${which?.toUpperCase()} ${objects?.objectTypePlural} IN ${objects?.inSchema}`;
}

/** What SHOW GRANTS TO ROLE would say of a role and all that it inherits, once the stage tables are there. */
function heldBy(program: MockedProgram, role: string, which: "all" | "future"): readonly Grant[] {
  const inherited = program.all(ROLE_GRANT).filter(({ inputs }) => inputs["parentRoleName"] === role);
  const own = grantsOf(program).filter((grant) => grant.accountRoleName === role);
  return [
    ...own.flatMap((grant) => grant.privileges.flatMap((privilege) => rows(grant, privilege, which))),
    ...inherited.flatMap(({ inputs }) => heldBy(program, String(inputs["roleName"]), which)),
  ];
}

function rows(grant: GrantInputs, privilege: string, which: "all" | "future"): readonly Grant[] {
  const { onAccountObject, onSchema, onSchemaObject } = grant;
  if (onAccountObject) return [{ privilege, on: onAccountObject.objectType, path: [onAccountObject.objectName] }];
  if (onSchema) return [{ privilege, on: "SCHEMA", path: parsePath(onSchema.schemaName) }];
  const objects = onSchemaObject?.[which];
  if (objects?.objectTypePlural !== "TABLES") return [];
  const [database = "", schema = ""] = parsePath(objects.inSchema);
  return manifest.tables
    .filter((table) => table.schema.toUpperCase() === schema)
    .map((table) => ({ privilege, on: "TABLE", path: [database, schema, table.name.toUpperCase()] }));
}

/** As `doctor` puts them together. */
const NEEDS: readonly Need[] = [
  { kind: "DATABASE", path: ["NOVADRIVE"], privileges: ["USAGE"] },
  ...schemaNeeds("NOVADRIVE", manifest, ["analytics"]),
  ...manifest.tables.map((table) => tableNeed("NOVADRIVE", table)),
  warehouseNeed("DEFAULT_WH", true),
];

let program: MockedProgram;

beforeAll(async () => {
  program = await record(false);
});

describe("grants", () => {
  it("are exactly these", () => {
    expect(grantsOf(program).map(sentence).toSorted()).toEqual([
      'CREATE STAGE, CREATE TABLE, USAGE ON SCHEMA "NOVADRIVE"."PIPELINE" TO NOVADRIVE_LOADER',
      'CREATE TABLE, CREATE VIEW, USAGE ON SCHEMA "NOVADRIVE"."ANALYTICS" TO NOVADRIVE_TRANSFORMER',
      'DELETE, INSERT, SELECT, UPDATE ON ALL TABLES IN "NOVADRIVE"."STAGE" TO NOVADRIVE_LOADER',
      'DELETE, INSERT, SELECT, UPDATE ON FUTURE TABLES IN "NOVADRIVE"."STAGE" TO NOVADRIVE_LOADER',
      'SELECT ON ALL TABLES IN "NOVADRIVE"."ANALYTICS" TO NOVADRIVE_READER',
      'SELECT ON ALL TABLES IN "NOVADRIVE"."STAGE" TO NOVADRIVE_TRANSFORMER',
      'SELECT ON ALL VIEWS IN "NOVADRIVE"."ANALYTICS" TO NOVADRIVE_READER',
      'SELECT ON FUTURE TABLES IN "NOVADRIVE"."ANALYTICS" TO NOVADRIVE_READER',
      'SELECT ON FUTURE TABLES IN "NOVADRIVE"."STAGE" TO NOVADRIVE_TRANSFORMER',
      'SELECT ON FUTURE VIEWS IN "NOVADRIVE"."ANALYTICS" TO NOVADRIVE_READER',
      "USAGE ON DATABASE NOVADRIVE TO NOVADRIVE_LOADER",
      "USAGE ON DATABASE NOVADRIVE TO NOVADRIVE_READER",
      "USAGE ON DATABASE NOVADRIVE TO NOVADRIVE_TRANSFORMER",
      'USAGE ON SCHEMA "NOVADRIVE"."ANALYTICS" TO NOVADRIVE_READER',
      'USAGE ON SCHEMA "NOVADRIVE"."STAGE" TO NOVADRIVE_LOADER',
      'USAGE ON SCHEMA "NOVADRIVE"."STAGE" TO NOVADRIVE_TRANSFORMER',
      "USAGE ON WAREHOUSE DEFAULT_WH TO NOVADRIVE_LOADER",
      "USAGE ON WAREHOUSE DEFAULT_WH TO NOVADRIVE_READER",
      "USAGE ON WAREHOUSE DEFAULT_WH TO NOVADRIVE_TRANSFORMER",
    ]);
  });

  it("let the readers see the stage tables too only where that was asked for", async () => {
    const before = new Set(grantsOf(program).map(sentence));
    const more = (await record(true)).all(GRANT).filter(({ inputs }) => !before.has(sentence(inputs as never)));
    expect(more.map(({ inputs }) => sentence(inputs as never)).toSorted()).toEqual([
      'SELECT ON ALL TABLES IN "NOVADRIVE"."STAGE" TO NOVADRIVE_READER',
      'SELECT ON FUTURE TABLES IN "NOVADRIVE"."STAGE" TO NOVADRIVE_READER',
      'USAGE ON SCHEMA "NOVADRIVE"."STAGE" TO NOVADRIVE_READER',
    ]);
  });

  it("never take all privileges, ownership, the whole account, or leave to grant on", () => {
    for (const { inputs } of program.all(GRANT)) {
      expect(inputs["privileges"]).not.toContain("OWNERSHIP");
      expect(inputs["privileges"]).not.toContain("ALL");
      for (const key of ["allPrivileges", "onAccount", "withGrantOption", "alwaysApply"]) {
        expect(inputs).not.toHaveProperty(key);
      }
    }
    expect(program.resources.map(({ type }) => type)).not.toContain("snowflake:index/grantOwnership:GrantOwnership");
  });

  it("are made by the schemas' owner alone", () => {
    const schemas = program.all("snowflake:index/schema:Schema");
    expect(schemas).toHaveLength(3);
    for (const { inputs } of schemas) expect(inputs["withManagedAccess"]).toBe("true");
  });
});

describe("the runtime's role", () => {
  it.each(["future", "all"] as const)("has everything that the runtime needs, by the grants on %s objects", (which) => {
    const held = { primary: heldBy(program, "NOVADRIVE_RUNTIME", which), secondary: [], unread: [] };
    expect(NEEDS.length).toBeGreaterThan(10);
    for (const need of NEEDS) expect([need.path, missingPrivileges(need, held)]).toEqual([need.path, []]);
  });

  it("has nothing that the runtime does not need", () => {
    const needed = new Set(
      NEEDS.flatMap(({ kind, path, privileges }) =>
        privileges.map((privilege) => `${privilege} ${kind} ${path.join()}`),
      ),
    );
    const held = heldBy(program, "NOVADRIVE_RUNTIME", "future").map(
      ({ privilege, on, path }) => `${privilege} ${on} ${path.join()}`,
    );
    expect(new Set(held)).toEqual(needed);
  });

  it("is the loader's and the transformer's, and has no grant of its own", () => {
    expect(grantsOf(program).filter((grant) => grant.accountRoleName === "NOVADRIVE_RUNTIME")).toEqual([]);
    const edges = program
      .all(ROLE_GRANT)
      .map(({ inputs }) => `${String(inputs["roleName"])} → ${String(inputs["parentRoleName"])}`);
    expect(edges.toSorted()).toEqual([
      "NOVADRIVE_LOADER → NOVADRIVE_RUNTIME",
      "NOVADRIVE_READER → SYSADMIN",
      "NOVADRIVE_RUNTIME → SYSADMIN",
      "NOVADRIVE_TRANSFORMER → NOVADRIVE_RUNTIME",
    ]);
  });
});

describe("the reader's role", () => {
  it("writes nothing and makes nothing", () => {
    const privileges = grantsOf(program)
      .filter((grant) => grant.accountRoleName === "NOVADRIVE_READER")
      .flatMap((grant) => grant.privileges);
    expect(new Set(privileges)).toEqual(new Set(["USAGE", "SELECT"]));
  });
});

describe("roles", () => {
  it("carry the stack's prefix, since they are the account's", async () => {
    const other = await record(false, "SALES_TEST");
    const names = other.all("snowflake:index/accountRole:AccountRole").map(({ inputs }) => inputs["name"]);
    expect(names).toEqual(Object.keys(ROLES).map((key) => `SALES_TEST_${key}`));
    expect(other.outputs["runtimeRole"]).toBe("SALES_TEST_RUNTIME");
    expect(grantsOf(other).every((grant) => grant.accountRoleName.startsWith("SALES_TEST_"))).toBe(true);
  });

  it("are parented to the component, and protected with it, but for what a setting opens and must be able to close", async () => {
    const guarded = await record(true, "NOVADRIVE", true);
    const own = guarded.resources.filter(({ parent }) => parent.includes("WarehouseAccess"));
    expect(own).toHaveLength(4 + 4 + 22);
    const loose = own.filter(({ protect }) => !protect).map(({ inputs }) => sentence(inputs as never));
    expect(loose).toHaveLength(3);
    for (const one of loose) expect(one).toMatch(/"STAGE" TO NOVADRIVE_READER$/);
  });
});

describe("schemas of stage tables", () => {
  it("are in Snowflake's form, each once", () => {
    const tables = ["stage", "STAGE", "shop"].map((schema, index) => ({ name: `t${index}`, schema }));
    expect(stageSchemaNames(tables)).toEqual(["STAGE", "SHOP"]);
  });

  it.each(["analytics", "Pipeline"])("cannot be %s", (schema) => {
    expect(() => stageSchemaNames([{ name: "vendas", schema }])).toThrow(
      `stage tables into a schema that is not theirs: vendas in ${schema}.\nGive their source another "schema:"`,
    );
  });
});
