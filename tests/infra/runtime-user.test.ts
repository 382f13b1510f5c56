/** The runtime's user, and the quota on its warehouse: which statements are run for them, and in which order. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assignMonitor, CreditQuota } from "../../infra/snowflake/credit-quota.ts";
import { bindWorkloadIdentity, RuntimeUser, type RuntimeLogin } from "../../infra/snowflake/user.ts";
import { warehouseUrl } from "../../infra/snowflake/warehouse-url.ts";
import { parseSnowflakeUrl } from "../../runtime/warehouse/snowflake/warehouse-url.ts";
import { recordComponent, type MockedProgram } from "../support/pulumi/mocked-program.ts";

const USER = "snowflake:index/serviceUser:ServiceUser";
const EXECUTE = "snowflake:index/execute:Execute";
const ARN = "arn:aws:iam::123456789012:role/novadrive-host-1a2b3c4";

function record(login: RuntimeLogin, protect = false): Promise<MockedProgram> {
  return recordComponent(() => {
    const user = new RuntimeUser(
      "novadrive",
      {
        prefix: "NOVADRIVE",
        role: "NOVADRIVE_RUNTIME",
        warehouse: "DEFAULT_WH",
        database: "NOVADRIVE",
        addresses: ["203.0.113.10"],
        login,
      },
      { protect },
    );
    return { userName: user.userName };
  });
}

describe("the user", () => {
  it("is a service that is bound to the instance's role, and has no key and no password", async () => {
    const program = await record({ kind: "workload-identity", awsRoleArn: ARN });
    expect(program.only(USER).inputs).toEqual({
      name: "NOVADRIVE_RUNTIME",
      comment: "The NovaDrive process.",
      defaultRole: "NOVADRIVE_RUNTIME",
      defaultSecondaryRolesOption: "NONE",
      defaultWarehouse: "DEFAULT_WH",
      defaultNamespace: "NOVADRIVE",
      networkPolicy: "NOVADRIVE_RUNTIME",
    });
    const identity = program.only(EXECUTE);
    expect(identity.inputs).toEqual({
      execute: `ALTER USER "NOVADRIVE_RUNTIME" SET WORKLOAD_IDENTITY = (TYPE = AWS ARN = '${ARN}')`,
      revert: 'ALTER USER IF EXISTS "NOVADRIVE_RUNTIME" UNSET WORKLOAD_IDENTITY',
    });
    // Else a new role's SET would be followed by the old one's UNSET.
    expect(identity.deleteBeforeReplace).toBe(true);
    expect(program.outputs["userName"]).toBe("NOVADRIVE_RUNTIME");
  });

  it("has two public keys while they change, and no workload identity", async () => {
    const program = await record({ kind: "key-pair", publicKey: "MIIBone", secondPublicKey: "MIIBtwo" });
    expect(program.only(USER).inputs).toMatchObject({ rsaPublicKey: "MIIBone", rsaPublicKey2: "MIIBtwo" });
    expect(program.all(EXECUTE)).toEqual([]);
    expect((await record({ kind: "key-pair", publicKey: "MIIBone" })).only(USER).inputs).not.toHaveProperty(
      "rsaPublicKey2",
    );
  });

  it("comes from the box's address only, by a policy that is the user's and never the account's", async () => {
    const program = await record({ kind: "workload-identity", awsRoleArn: ARN });
    const policy = program.only("snowflake:index/networkPolicy:NetworkPolicy");
    expect(policy.inputs).toMatchObject({ name: "NOVADRIVE_RUNTIME", allowedIpLists: ["203.0.113.10"] });
    expect(program.resources.filter(({ type }) => /Attachment|accountParameter/i.test(type))).toEqual([]);
    expect(program.only(USER).dependencies).toEqual([expect.stringContaining(":NetworkPolicy::")]);
  });

  it("has one role, granted before its name is given out", async () => {
    const program = await record({ kind: "workload-identity", awsRoleArn: ARN });
    expect(program.only("snowflake:index/grantAccountRole:GrantAccountRole").inputs).toEqual({
      roleName: "NOVADRIVE_RUNTIME",
      userName: "NOVADRIVE_RUNTIME",
    });
  });

  it("is protected with its stack, whole", async () => {
    const program = await record({ kind: "workload-identity", awsRoleArn: ARN }, true);
    const own = program.resources.filter(({ type }) => type.startsWith("snowflake:"));
    expect(own).toHaveLength(4);
    for (const { type, protect, parent } of own) {
      // The login is not: a key pair may take its place.
      expect(protect).toBe(type !== "snowflake:index/execute:Execute");
      expect(parent).toContain("novadrive:snowflake:RuntimeUser::novadrive");
    }
  });
});

describe("statements", () => {
  it("hold whatever a name or an ARN has within its quotes", () => {
    expect(bindWorkloadIdentity('A"; DROP USER B; --', "it's\\").execute).toBe(
      `ALTER USER "A""; DROP USER B; --" SET WORKLOAD_IDENTITY = (TYPE = AWS ARN = 'it''s\\\\')`,
    );
    expect(assignMonitor('W"H', 'M"').execute).toBe(`ALTER WAREHOUSE "W""H" SET RESOURCE_MONITOR = "M"""`);
  });
});

describe("the quota", () => {
  it("warns, then suspends, then stops what runs, by the calendar month; and lets the runtime see it", async () => {
    const program = await recordComponent(() => {
      const quota = new CreditQuota("novadrive", {
        prefix: "NOVADRIVE",
        warehouse: "DEFAULT_WH",
        monthlyCredits: 40,
        role: "NOVADRIVE_RUNTIME",
      });
      return { monitorName: quota.monitorName };
    });
    expect(program.only("snowflake:index/resourceMonitor:ResourceMonitor").inputs).toEqual({
      name: "NOVADRIVE_QUOTA",
      creditQuota: 40,
      notifyTriggers: [75, 90],
      suspendTrigger: 100,
      suspendImmediateTrigger: 110,
    });
    const assigned = program.only(EXECUTE);
    expect(assigned.inputs).toEqual({
      execute: 'ALTER WAREHOUSE "DEFAULT_WH" SET RESOURCE_MONITOR = "NOVADRIVE_QUOTA"',
      revert: 'ALTER WAREHOUSE IF EXISTS "DEFAULT_WH" UNSET RESOURCE_MONITOR',
    });
    expect(assigned.deleteBeforeReplace).toBe(true);
    expect(program.only("snowflake:index/grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole").inputs).toEqual({
      accountRoleName: "NOVADRIVE_RUNTIME",
      privileges: ["MONITOR"],
      onAccountObject: { objectType: "RESOURCE MONITOR", objectName: "NOVADRIVE_QUOTA" },
    });
  });
});

describe("the warehouse's URL", () => {
  const parts = {
    organization: "ACME",
    account: "MAIN_EU",
    database: "NOVADRIVE",
    warehouse: "DEFAULT_WH",
    role: "NOVADRIVE_RUNTIME",
  };

  it("names role and warehouse, and nothing else where the box itself is the identity", () => {
    const url = warehouseUrl(parts);
    expect(url).toBe("snowflake://acme-main-eu/NOVADRIVE?warehouse=DEFAULT_WH&role=NOVADRIVE_RUNTIME");
    expect(parseSnowflakeUrl(url)).toMatchObject({
      account: "acme-main-eu",
      database: "NOVADRIVE",
      warehouse: "DEFAULT_WH",
      role: "NOVADRIVE_RUNTIME",
      login: { authenticator: "WORKLOAD_IDENTITY" },
    });
  });

  it("says where the private key is kept, not what it is", () => {
    const secret = "arn:aws:secretsmanager:sa-east-1:123456789012:secret:novadrive/key-AbCdEf";
    const url = warehouseUrl({ ...parts, keyPair: { user: "NOVADRIVE_RUNTIME", privateKeySecret: secret } });
    expect(url).toContain(`&user=NOVADRIVE_RUNTIME&private_key=${secret}`);
    expect(parseSnowflakeUrl(url)).toMatchObject({
      user: "NOVADRIVE_RUNTIME",
      login: { authenticator: "SNOWFLAKE_JWT", privateKey: { kind: "secret", id: secret, region: "sa-east-1" } },
    });
  });

  it("is read by the runtime as it was meant, whatever the names", () => {
    const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,40}$/);
    const id = fc.stringMatching(/^[A-Za-z0-9/_+=.@-]{1,30}$/);
    fc.assert(
      fc.property(name, name, name, name, id, (database, warehouse, role, user, secretId) => {
        const secret = `arn:aws:secretsmanager:us-east-1:123456789012:secret:${secretId}`;
        const url = warehouseUrl({ ...parts, database, warehouse, role, keyPair: { user, privateKeySecret: secret } });
        expect(parseSnowflakeUrl(url)).toMatchObject({ database, warehouse, role, user });
        expect(parseSnowflakeUrl(url).login).toMatchObject({ privateKey: { id: secret } });
      }),
    );
  });
});
