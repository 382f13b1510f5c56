/** Roles, users and network policies of the test server: what was not granted is refused. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSnowflakeServer, type SnowflakeServer } from "../../support/snowflake/server.ts";
import { TEST_KEYS, TestClient } from "../../support/snowflake/test-client.ts";

const KEY = TEST_KEYS.publicKey.replaceAll(/-----.*-----|\s/g, "");
const DEPLOYER = { application: "terraform-provider-snowflake" };

let server: SnowflakeServer;
let admin: TestClient;
let owner: TestClient;

beforeAll(async () => {
  server = await startSnowflakeServer({
    users: [{ name: "ADMIN", role: "ACCOUNTADMIN", publicKeys: [TEST_KEYS.publicKey] }],
    database: "FIRST",
    schemas: [],
  });
  admin = await TestClient.connect(server, { ...DEPLOYER, username: "ADMIN" });
  for (const sql of [
    'CREATE ROLE "OWNER"',
    'GRANT CREATE DATABASE, CREATE ROLE, CREATE USER, CREATE NETWORK POLICY ON ACCOUNT TO ROLE "OWNER"',
    `CREATE USER "OWNER" DEFAULT_ROLE = "OWNER" RSA_PUBLIC_KEY = '${KEY}'`,
    'GRANT ROLE "OWNER" TO USER "OWNER"',
  ])
    await admin.run(sql);
  owner = await TestClient.connect(server, { ...DEPLOYER, username: "OWNER", role: "OWNER" });
  for (const sql of [
    'CREATE DATABASE "SHOP"',
    'CREATE SCHEMA "SHOP"."STAGE" WITH MANAGED ACCESS',
    'CREATE TABLE "SHOP"."STAGE"."BEFORE" ("ID" NUMBER(38,0))',
    'CREATE ROLE "READER"',
    'GRANT USAGE ON DATABASE "SHOP" TO ROLE "READER"',
    'GRANT USAGE ON WAREHOUSE "LOAD_WH" TO ROLE "READER"',
    `CREATE USER "READER" DEFAULT_ROLE = "READER" RSA_PUBLIC_KEY = '${KEY}'`,
  ]) {
    const client = sql.includes("WAREHOUSE") ? admin : owner;
    await client.run(sql);
  }
});

afterAll(async () => {
  await owner[Symbol.asyncDispose]();
  await admin[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const connectReader = () => TestClient.connect(server, { username: "READER", role: "READER", database: "SHOP" });

describe("the account", () => {
  it("lets a user in only with a role that it has, and from where its network policy says", async () => {
    await expect(connectReader()).rejects.toThrow(/not granted to this user/);
    await owner.run('GRANT ROLE "READER" TO USER "READER"');
    await owner.run(`CREATE NETWORK POLICY "BOX" ALLOWED_IP_LIST = ('203.0.113.10')`);
    await owner.run('ALTER USER "READER" SET NETWORK_POLICY = "BOX"');
    await expect(connectReader()).rejects.toThrow(/is not allowed to access/);
    await expect(owner.run('DROP NETWORK POLICY "BOX"')).rejects.toThrow(/attached to USER with name READER/);
    await owner.run(`ALTER NETWORK POLICY "BOX" SET ALLOWED_IP_LIST = ('203.0.113.10', '127.0.0.0/8')`);
    const role = "arn:aws:iam::123456789012:role/box";
    await owner.run(`ALTER USER "READER" SET WORKLOAD_IDENTITY = (TYPE = AWS ARN = '${role}')`);
    await owner.run('ALTER USER IF EXISTS "READER" UNSET WORKLOAD_IDENTITY');
    await using reader = await connectReader();
    expect(await reader.run("SHOW SCHEMAS")).toEqual([]);
  });

  it("lets nobody make what the role may not make, nor grant what is not its own", async () => {
    await expect(owner.run('CREATE WAREHOUSE "MINE"')).rejects.toThrow(/Insufficient privileges/);
    await expect(owner.run('GRANT CREATE ROLE ON ACCOUNT TO ROLE "READER"')).rejects.toThrow(/Insufficient privileges/);
    await expect(owner.run('GRANT USAGE ON WAREHOUSE "LOAD_WH" TO ROLE "READER"')).rejects.toThrow(/Insufficient/);
    await expect(owner.run('GRANT ROLE "READER" TO ROLE "NOBODY"')).rejects.toThrow(/Role 'NOBODY' does not exist/);
    await expect(owner.run("SELECT 1")).rejects.toThrow(/does not know the shape/);
  });

  it("shows a role the tables that it was granted, those that come later by grants on future ones", async () => {
    await using reader = await connectReader();
    const count = (table: string) => reader.run(`SELECT COUNT(*) AS N FROM "STAGE"."${table}"`);
    await owner.run('GRANT USAGE ON SCHEMA "SHOP"."STAGE" TO ROLE "READER"');
    await owner.run('GRANT SELECT ON FUTURE TABLES IN SCHEMA "SHOP"."STAGE" TO ROLE "READER"');
    await owner.run('CREATE TABLE "SHOP"."STAGE"."AFTER" ("ID" NUMBER(38,0))');
    expect(await count("AFTER")).toHaveLength(1);
    await expect(count("BEFORE")).rejects.toThrow(/does not exist or not authorized/);
    await owner.run('GRANT SELECT ON ALL TABLES IN SCHEMA "SHOP"."STAGE" TO ROLE "READER"');
    expect(await count("BEFORE")).toHaveLength(1);
    await expect(reader.run('DROP TABLE "STAGE"."BEFORE"')).rejects.toThrow(/Insufficient privileges/);
    await owner.run('REVOKE SELECT ON ALL TABLES IN SCHEMA "SHOP"."STAGE" FROM ROLE "READER"');
    await expect(count("BEFORE")).rejects.toThrow(/does not exist or not authorized/);
  });

  it("gives what a role has to the roles that have it, and forgets it with the role", async () => {
    await owner.run('GRANT SELECT ON ALL TABLES IN SCHEMA "SHOP"."STAGE" TO ROLE "READER"');
    await owner.run('CREATE ROLE "BOSS"');
    await owner.run('GRANT ROLE "READER" TO ROLE "BOSS"');
    await owner.run('GRANT ROLE "BOSS" TO USER "READER"');
    await using boss = await TestClient.connect(server, { username: "READER", role: "BOSS", database: "SHOP" });
    expect(await boss.run('DESCRIBE TABLE "STAGE"."AFTER"')).toHaveLength(1);
    expect(await admin.run('SHOW GRANTS TO ROLE "BOSS"')).toMatchObject([{ granted_on: "ROLE", name: "READER" }]);
    await owner.run('DROP ROLE "READER"');
    await expect(boss.run('DESCRIBE TABLE "STAGE"."AFTER"')).rejects.toThrow(/does not exist/);
  });

  it("drops columns with what is in them, and adds none that has to be filled to a table with rows", async () => {
    await owner.run('CREATE TABLE "SHOP"."STAGE"."ROWS" ("ID" NUMBER(38,0), "OLD" VARCHAR(5))');
    await server.sql(`INSERT INTO "STAGE"."ROWS" VALUES (1, 'a')`);
    const alter = 'ALTER TABLE "SHOP"."STAGE"."ROWS"';
    await expect(owner.run(`${alter} ADD COLUMN "NEW" VARCHAR(5) NOT NULL`)).rejects.toThrow(/Non-nullable column/);
    await owner.run(`${alter} ADD COLUMN "NEW" VARCHAR(5) COMMENT 'It''s new.'`);
    await owner.run(`${alter} DROP COLUMN "OLD"`);
    expect(await server.sql('SELECT * FROM "STAGE"."ROWS"')).toEqual([[1n, null]]);
    expect(await owner.run('DESCRIBE TABLE "SHOP"."STAGE"."ROWS"')).toMatchObject([
      { name: "ID" },
      { name: "NEW", type: "VARCHAR(5)", comment: "It's new." },
    ]);
  });
});
