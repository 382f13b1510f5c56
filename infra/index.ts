/** The stack: reads configuration and manifest once, wires the components, exports the outputs. */
import { join } from "node:path";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as snowflake from "@pulumi/snowflake";
import { REFERENCE_SCHEME } from "../runtime/config/secret-reference.ts";
import { readManifest } from "../runtime/manifest/read.ts";
import { HostAddress } from "./aws/address.ts";
import { HostAlarms } from "./aws/alarms.ts";
import { Artifact, ArtifactBucket } from "./aws/artifact.ts";
import { Host } from "./aws/host.ts";
import { HostRole } from "./aws/iam.ts";
import { HostNetwork } from "./aws/network.ts";
import { Observability } from "./aws/observability.ts";
import { partitionOf } from "./aws/partition.ts";
import { placeHost } from "./aws/placement.ts";
import { Release } from "./aws/release.ts";
import { Secrets } from "./aws/secrets.ts";
import { STATE_DEVICE, StateVolume } from "./aws/state-volume.ts";
import { certificateSettings, renderEnvironment } from "./box/environment.ts";
import { HASH_PARAMETER, renderReleaseScript } from "./box/release-script.ts";
import { renderUserData } from "./box/user-data.ts";
import { makeBundle } from "./bundle/bundle.ts";
import { readSettings } from "./config.ts";
import { guardManifest } from "./manifest-lock/file.ts";
import { WarehouseAccess } from "./snowflake/access.ts";
import { CreditQuota } from "./snowflake/credit-quota.ts";
import { stageSchemaNames, WarehouseDatabase } from "./snowflake/database.ts";
import { StageTables } from "./snowflake/tables.ts";
import { RuntimeUser } from "./snowflake/user.ts";
import { warehouseUrl } from "./snowflake/warehouse-url.ts";

const settings = readSettings();
// Pulumi's working directory is not the project's, so files are found from here.
const root = join(import.meta.dirname, "..");
const sql = join(root, "sql");
const manifest = readManifest(join(sql, "models/manifest.yml"));
guardManifest({ file: join(sql, "manifest.lock.json"), manifest, today: new Date().toISOString().slice(0, 10) });
// Packing takes seconds where the code has changed, and everything but the release can be made meanwhile.
const bundle = pulumi.output(makeBundle({ root, out: join(root, ".bundle") }));
const { kind } = settings;
const { protect } = kind;
const { region } = settings.aws;
const partition = partitionOf(region);
const stack = pulumi.getStack();
const tags = { Name: `novadrive-${stack}` };
const metricNamespace = `NovaDrive/${stack}`;

// Explicit providers do not read the stack's configuration (https://github.com/pulumi/pulumi-snowflake/issues/1081), so
// everything that they need is handed to them here.
const awsProvider = new aws.Provider("aws", {
  ...settings.aws,
  defaultTags: { tags: { Project: pulumi.getProject(), Stack: pulumi.getStack(), ManagedBy: "pulumi" } },
});
const snowflakeProvider = new snowflake.Provider("snowflake", {
  ...settings.snowflakeConnection,
  // Table is behind this flag, and is refused without it.
  previewFeaturesEnabled: ["snowflake_table_resource"],
});

const inAws = { providers: [awsProvider], protect };
const inSnowflake = { providers: [snowflakeProvider], protect };
const { keyPair } = settings.runtimeLogin;

const placement = await placeHost(settings.placement, { provider: awsProvider });
const network = new HostNetwork("novadrive", { ...settings.network, vpcId: placement.vpcId }, inAws);
const address = new HostAddress("novadrive", { tags }, inAws);
const stateVolume = new StateVolume(
  "novadrive",
  {
    ...settings.stateVolume,
    availabilityZone: placement.availabilityZone,
    stay: placement.chosen,
    finalSnapshot: kind.keepState,
    tags,
  },
  inAws,
);
const { sourceUrl, uiPasswordHash, tlsKey } = settings.secretValues;
const secrets = new Secrets(
  "novadrive",
  {
    prefix: `novadrive/${stack}`,
    region,
    recoveryDays: kind.secretRecoveryDays,
    values: {
      "source-url": sourceUrl,
      "ui-password-hash": uiPasswordHash,
      ...(keyPair && keyPair.privateKeySecret === undefined ? { "snowflake-private-key": undefined } : {}),
      ...(settings.tlsCertificate === undefined ? {} : { "tls-key": tlsKey }),
    },
  },
  inAws,
);
const privateKeySecret = keyPair && (keyPair.privateKeySecret ?? secrets.arns["snowflake-private-key"]);
const artifacts = new ArtifactBucket("novadrive", { forceDestroy: kind.emptyBuckets }, inAws);
const artifact = new Artifact("novadrive", { bucketName: artifacts.bucketName, bundle }, inAws);
const observability = new Observability(
  "novadrive",
  { ...settings.observability, logGroupName: `/novadrive/${stack}` },
  inAws,
);
const role = new HostRole(
  "novadrive",
  {
    partition,
    secretArns: [...Object.values(secrets.arns), ...(keyPair?.privateKeySecret ? [keyPair.privateKeySecret] : [])],
    bucketArn: artifacts.bucketArn,
    logGroupArn: observability.logGroupArn,
    metricNamespace,
  },
  inAws,
);
const host = new Host(
  "novadrive",
  {
    ...settings.host,
    // Beside its disk, whatever zone would be chosen for a new one.
    subnetId: stateVolume.availabilityZone.apply(placement.subnetIn),
    securityGroupId: network.securityGroupId,
    instanceProfileName: role.instanceProfileName,
    userData: stateVolume.volumeId.apply((volumeId) => renderUserData({ volumeId, device: STATE_DEVICE })),
    terminationProtection: kind.terminationProtection,
    stateVolumeId: stateVolume.volumeId,
    addressAllocationId: address.allocationId,
    tags,
  },
  // All of the role: an agent that starts without its permissions waits long before it tries again.
  { ...inAws, dependsOn: [role] },
);
const stageSchemas = stageSchemaNames(manifest.tables);
const warehouse = new WarehouseDatabase("novadrive", { ...settings.warehouse, stageSchemas }, inSnowflake);
const names = { database: warehouse.databaseName, warehouse: warehouse.warehouseName };
const access = new WarehouseAccess(
  "novadrive",
  { ...settings.access, ...names, schemas: warehouse.schemaNames, stageSchemas },
  inSnowflake,
);
const tables = new StageTables(
  "novadrive",
  // A table that is made after the grants on future tables has its grants at once.
  { database: warehouse.databaseName, schemas: warehouse.schemaNames, tables: manifest.tables, after: [access] },
  inSnowflake,
);
const { prefix } = settings.access;
const runtimeUser = new RuntimeUser(
  "novadrive",
  {
    ...names,
    prefix,
    role: access.runtimeRole,
    addresses: [address.publicIp, ...settings.runtimeLogin.cidrs],
    login: keyPair ? { kind: "key-pair", ...keyPair } : { kind: "workload-identity", awsRoleArn: role.roleArn },
  },
  inSnowflake,
);
if (settings.monthlyCreditQuota > 0) {
  const administrator = new snowflake.Provider("snowflake-administrator", {
    ...settings.snowflakeConnection,
    // Nobody else may make a monitor, or put a warehouse under one:
    // https://docs.snowflake.com/en/user-guide/resource-monitors#access-control-privileges-for-resource-monitors
    role: "ACCOUNTADMIN",
  });
  new CreditQuota(
    "novadrive",
    {
      prefix,
      warehouse: warehouse.warehouseName,
      monthlyCredits: settings.monthlyCreditQuota,
      role: access.roleNames.RUNTIME,
    },
    // What a setting limits, a setting must be able to free, in a protected stack too.
    { providers: [administrator], protect: false },
  );
}
/** NOVADRIVE_WAREHOUSE_URL of the box; known once its user can log in. */
const boxWarehouseUrl = pulumi
  .all([names.database, names.warehouse, access.runtimeRole, runtimeUser.userName, privateKeySecret])
  .apply(([database, warehouseName, roleName, user, keySecret]) =>
    warehouseUrl({
      ...settings.snowflakeAccount,
      database,
      warehouse: warehouseName,
      role: roleName,
      keyPair: keySecret === undefined ? undefined : { user, privateKeySecret: keySecret },
    }),
  );

const environment = pulumi
  .all([boxWarehouseUrl, secrets.arns, secrets.versions, observability.logGroupName])
  .apply(([url, arns, secretVersions, logGroupName]) =>
    renderEnvironment({
      settings: {
        ...settings.runtime,
        sourceUrl: `${REFERENCE_SCHEME}${arns["source-url"]}`,
        warehouseUrl: url,
        host: "0.0.0.0",
        port: String(settings.network.uiPort),
        uiPasswordHash: `${REFERENCE_SCHEME}${arns["ui-password-hash"]}`,
        ...certificateSettings(arns["tls-key"]),
      },
      region,
      logGroup: logGroupName,
      metricNamespace,
      secretVersions,
    }),
  );
const release = new Release(
  "novadrive",
  {
    instanceId: host.instanceId,
    script: pulumi
      .all([artifacts.bucketName, environment])
      .apply(([artifactBucket, text]) =>
        renderReleaseScript({ region, artifactBucket, environment: text, certificate: settings.tlsCertificate }),
      ),
    parameters: {
      [HASH_PARAMETER.name]: {
        value: bundle.hash,
        pattern: HASH_PARAMETER.pattern,
        description: HASH_PARAMETER.description,
      },
    },
    timeoutSeconds: 900,
    // The new runtime starts when all is there that it needs: its code, its rights, and its tables as the manifest has them now.
    after: [artifact, secrets, role, observability, network, host, tables, access, runtimeUser],
  },
  inAws,
);
new HostAlarms(
  "novadrive",
  {
    instanceId: host.instanceId,
    topicArn: observability.topicArn,
    metricNamespace,
    partition,
    region,
    prefix: `novadrive-${stack}`,
    after: [release],
  },
  inAws,
);

const { uiPort, uiCidrs } = settings.network;

/** Where the console is. With no address allowed in, it is reached through `uiTunnel`. */
export const uiAddress =
  uiCidrs.length > 0 ? pulumi.interpolate`https://${address.publicIp}:${uiPort}` : `https://127.0.0.1:${uiPort}`;

/** A shell on the box; it has no port 22. */
export const sessionCommand = pulumi.interpolate`aws ssm start-session --region ${region} --target ${host.instanceId}`;

/** Brings the console to this computer without a rule in the security group. */
export const uiTunnel = pulumi.interpolate`${sessionCommand} --document-name AWS-StartPortForwardingSession --parameters '{"portNumber":["${uiPort}"],"localPortNumber":["${uiPort}"]}'`;

/** What is still to be done by hand: each command reads a secret's value from standard input. */
export const secretsToSet = secrets.commands;

export const instanceId = host.instanceId;
/** What a firewall before the source has to let in. */
export const hostAddress = address.publicIp;
export const logGroup = observability.logGroupName;
/** Follows the log from here; `--since 1d` shows the last day first. */
export const logCommand = pulumi.interpolate`aws logs tail ${logGroup} --region ${region} --follow`;
export const alarmTopic = observability.topicArn;
export const snowflakeDatabase = warehouse.databaseName;
export const snowflakeWarehouse = warehouse.warehouseName;
export const snowflakeSchemas = pulumi.all(Object.values(warehouse.schemaNames));
export const snowflakeTables = tables.qualifiedNames;
/** Grant READER to who uses the data, TRANSFORMER to who tries models by hand. */
export const snowflakeRoles = access.roleNames;
export const snowflakeUser = runtimeUser.userName;
export const snowflakeUrl = boxWarehouseUrl;
