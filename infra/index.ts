/** The stack: reads configuration and manifest once, wires the components, exports the outputs. */
import { join } from "node:path";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as snowflake from "@pulumi/snowflake";
import { readManifest } from "../runtime/manifest/read.ts";
import { Host } from "./aws/host.ts";
import { HostRole } from "./aws/iam.ts";
import { HostNetwork } from "./aws/network.ts";
import { readSettings } from "./config.ts";
import { guardManifest } from "./manifest-lock/file.ts";
import { stageSchemaNames, WarehouseDatabase } from "./snowflake/database.ts";
import { StageTables } from "./snowflake/tables.ts";

const settings = readSettings();
// Pulumi's working directory is not the project's, so files are found from here.
const sql = join(import.meta.dirname, "../sql");
const manifest = readManifest(join(sql, "models/manifest.yml"));
guardManifest({ file: join(sql, "manifest.lock.json"), manifest, today: new Date().toISOString().slice(0, 10) });
const { protect } = settings;

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

const network = new HostNetwork("novadrive", settings.network, { providers: [awsProvider], protect });
const role = new HostRole("novadrive", { providers: [awsProvider], protect });
const host = new Host(
  "novadrive",
  { ...settings.host, securityGroupId: network.securityGroupId, instanceProfileName: role.instanceProfileName },
  // All of the role: an agent that starts without its permissions waits long before it tries again.
  { providers: [awsProvider], protect, dependsOn: [role] },
);
const warehouse = new WarehouseDatabase(
  "novadrive",
  { ...settings.warehouse, stageSchemas: stageSchemaNames(manifest.tables) },
  { providers: [snowflakeProvider], protect },
);
const tables = new StageTables(
  "novadrive",
  { database: warehouse.databaseName, schemas: warehouse.schemaNames, tables: manifest.tables },
  { providers: [snowflakeProvider], protect },
);

const { uiPort, uiCidrs } = settings.network;

/** Where the console is. With no address allowed in, it is reached through `uiTunnel`. */
export const uiAddress =
  uiCidrs.length > 0 ? pulumi.interpolate`http://${host.address}:${uiPort}` : `http://127.0.0.1:${uiPort}`;

/** A shell on the box; it has no port 22. */
export const sessionCommand = pulumi.interpolate`aws ssm start-session --region ${settings.aws.region} --target ${host.instanceId}`;

/** Brings the console to this computer without a rule in the security group. */
export const uiTunnel = pulumi.interpolate`${sessionCommand} --document-name AWS-StartPortForwardingSession --parameters '{"portNumber":["${uiPort}"],"localPortNumber":["${uiPort}"]}'`;

export const instanceId = host.instanceId;
export const snowflakeDatabase = warehouse.databaseName;
export const snowflakeWarehouse = warehouse.warehouseName;
export const snowflakeSchemas = pulumi.all(Object.values(warehouse.schemaNames));
export const snowflakeTables = tables.qualifiedNames;
