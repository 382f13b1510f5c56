/** The stack's configuration: read and checked as a whole, all problems in one message. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { orderProblem, readChain, readPrivateKey, validityProblem } from "../runtime/config/certificate.ts";
import { isWorldOpen } from "./cidr.ts";
import { parseJson, SETTINGS, type Setting } from "./settings.ts";
import { STACK_KINDS, type StackKind } from "./stack-kind.ts";

/** What the check looks at; nothing else. */
export interface RawConfiguration {
  /** Namespace of the program's own settings: the project's name. */
  readonly project: string;
  /** By full key (`novadrive:uiPort`); lists as JSON. */
  readonly values: Readonly<Record<string, string>>;
  /** Full keys of the values that are stored encrypted; undefined where Pulumi does not say. */
  readonly secretKeys: readonly string[] | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether the user has a file of Snowflake connections, where the provider looks last. */
  readonly hasSnowflakeFile: boolean;
  readonly now: Date;
}

export type Settings = ReturnType<typeof arrange>;
export type Checked = { readonly settings: Settings } | { readonly problems: readonly string[] };

type SettingName = keyof typeof SETTINGS;
type Values = { readonly [Name in SettingName]: z.output<(typeof SETTINGS)[Name]["schema"]> };

const NAMES = Object.keys(SETTINGS) as SettingName[];

function keyOf(name: SettingName, project: string): string {
  const { key }: Setting<unknown> = SETTINGS[name];
  return key ?? `${project}:${name}`;
}

function command(name: SettingName, project: string): string {
  return `pulumi config set ${SETTINGS[name].example.replace("{key}", keyOf(name, project))}`;
}

/** Checks everything that can be checked before the first cloud is called. One line a problem, each with the command that mends it. */
export function checkConfiguration(raw: RawConfiguration): Checked {
  const { project, values, secretKeys } = raw;
  const problems: string[] = [];
  const checked: Record<string, unknown> = {};
  for (const name of NAMES) {
    const { schema, secret, unquoted }: Setting<unknown> = SETTINGS[name];
    const key = keyOf(name, project);
    // Pulumi.yaml can give an optional setting no other default than an empty one.
    const value = values[key] === "" ? undefined : values[key];
    const result = schema.safeParse(value);
    if (result.success) checked[name] = result.data;
    for (const issue of result.error?.issues ?? []) {
      const shown = secret || unquoted || value === undefined ? "" : ` (it is ${value})`;
      problems.push(`${key} ${issue.message}${shown}: ${command(name, project)}`);
    }
    if (secret && value !== undefined && secretKeys && !secretKeys.includes(key)) {
      problems.push(`${key} is a secret but stands in the stack's file as plain text: ${command(name, project)}`);
    }
  }
  problems.push(...unknownKeys(raw));
  if (problems.length > 0) return { problems };
  // Every key of the table was checked by the schema that stands beside it.
  const complete = checked as Values;
  problems.push(...crossChecks(complete, raw));
  return problems.length > 0 ? { problems } : { settings: arrange(complete, raw) };
}

/** A misspelt key would otherwise be a setting that silently does nothing. */
function unknownKeys({ project, values }: RawConfiguration): string[] {
  const known = new Set(NAMES.map((name) => keyOf(name, project)));
  return Object.keys(values)
    .filter((key) => [project, "aws", "snowflake"].includes(key.slice(0, key.indexOf(":"))) && !known.has(key))
    .map((key) => {
      const namespace = key.slice(0, key.indexOf(":") + 1);
      const offered = [...known].filter((candidate) => candidate.startsWith(namespace)).join(", ");
      return `${key} is not a setting of this program (those are ${offered}): pulumi config rm ${key}`;
    });
}

function crossChecks(values: Values, raw: RawConfiguration): string[] {
  const { project } = raw;
  const problems: string[] = [];
  const open = values.uiCidrs.filter(isWorldOpen);
  if (open.length > 0 && !values.uiOpenToTheWorld) {
    problems.push(
      `${keyOf("uiCidrs", project)} has ${open.join(" and ")}, which opens the console to the whole internet. ` +
        `Name the networks that need it: ${command("uiCidrs", project)}. ` +
        `If everybody is really meant: ${command("uiOpenToTheWorld", project)}`,
    );
  }
  problems.push(
    ...certificateProblems(values, raw),
    ...accountProblems(values, raw),
    ...snowflakeAccessProblems(values, project),
  );
  return problems;
}

/** One at most: what is wrong with a chain is mended together with the rest of it. */
function certificateProblems({ tlsCertificate, tlsKey }: Values, { project, now }: RawConfiguration): string[] {
  const certificate = keyOf("tlsCertificate", project);
  const setCertificate = command("tlsCertificate", project);
  if (tlsCertificate === undefined) {
    if (tlsKey === undefined) return [];
    return [`${keyOf("tlsKey", project)} is set without the certificate that it belongs to: ${setCertificate}`];
  }
  const chain = readChain(tlsCertificate);
  if ("problem" in chain) return [`${certificate} ${chain.problem}: ${setCertificate}`];
  const problem = orderProblem(chain) ?? validityProblem(chain[0], now);
  if (problem !== undefined) return [`${certificate} ${problem}: ${setCertificate}`];
  // Without a value here it is put into its secret by hand, and the runtime is the first to see both.
  const key = tlsKey === undefined ? undefined : readPrivateKey(tlsKey);
  if (key === undefined || "problem" in key || chain[0].checkPrivateKey(key)) return [];
  return [
    `${keyOf("tlsKey", project)} does not belong to ${certificate}, whose first certificate has to be the page's own: ${command("tlsKey", project)}`,
  ];
}

/** Where the provider and the box find the account. */
const ACCOUNT = [
  ["snowflakeOrganization", "SNOWFLAKE_ORGANIZATION_NAME"],
  ["snowflakeAccount", "SNOWFLAKE_ACCOUNT_NAME"],
  ["snowflakeUser", "SNOWFLAKE_USER"],
] as const;

function accountProblems(values: Values, { project, environment, hasSnowflakeFile }: RawConfiguration): string[] {
  const inProfile = values.snowflakeProfile ?? environment["SNOWFLAKE_PROFILE"] ?? (hasSnowflakeFile || undefined);
  // A profile can say who deploys. The account it cannot, since the box has to be told it, and has no such file.
  const needed = inProfile === undefined ? ACCOUNT : ACCOUNT.slice(0, 2);
  return needed
    .filter(([name, variable]) => values[name] === undefined && !environment[variable])
    .map(
      ([name, variable]) =>
        `${keyOf(name, project)} is not set, nor ${variable} in the environment: ${command(name, project)}`,
    );
}

/** Longest name in Snowflake is 255; the longest ending of ours is `_TRANSFORMER`. */
const LONGEST_PREFIX = 240;

function snowflakeAccessProblems(values: Values, project: string): string[] {
  const problems: string[] = [];
  const { warehousePublicKey: key, warehousePublicKey2: second, warehousePrivateKeySecret: secret } = values;
  const without = (name: SettingName, missing: SettingName, why: string) =>
    problems.push(
      `${keyOf(name, project)} is set without ${keyOf(missing, project)}, ${why}: ${command(missing, project)}`,
    );
  if (key === undefined && secret !== undefined) {
    without("warehousePrivateKeySecret", "warehousePublicKey", "by which Snowflake knows the key");
  }
  if (key === undefined && second !== undefined) {
    without("warehousePublicKey2", "warehousePublicKey", "which it stands beside while keys change");
  }
  for (const cidr of values.warehouseCidrs) {
    if (!cidr.includes(":") && !isWorldOpen(cidr)) continue;
    const why = cidr.includes(":")
      ? "which is IPv6, where Snowflake's network policies take IPv4"
      : "which is far too wide";
    problems.push(`${keyOf("warehouseCidrs", project)} has ${cidr}, ${why}: ${command("warehouseCidrs", project)}`);
  }
  if ((values.accessPrefix ?? values.database).length > LONGEST_PREFIX) {
    problems.push(
      `${keyOf("accessPrefix", project)}, or the database's name in its place, is longer than ${LONGEST_PREFIX} characters: ${command("accessPrefix", project)}`,
    );
  }
  return problems;
}

/** From flat settings to what each part of the program takes. */
function arrange(values: Values, { environment }: RawConfiguration) {
  const kind: StackKind = STACK_KINDS[values.kind];
  const { instanceType, subnetId } = values;
  return {
    kind,
    aws: { region: values.region, profile: values.awsProfile },
    snowflakeConnection: withoutUndefined({
      organizationName: values.snowflakeOrganization,
      accountName: values.snowflakeAccount,
      user: values.snowflakeUser,
      role: values.snowflakeRole,
      profile: values.snowflakeProfile,
      // A key says how to log in; without this the provider would ask for a password.
      authenticator: values.snowflakeAuthenticator ?? (values.snowflakePrivateKey ? "SNOWFLAKE_JWT" : undefined),
      privateKey: values.snowflakePrivateKey,
      privateKeyPassphrase: values.snowflakeKeyPassphrase,
      token: values.snowflakeToken,
    }),
    placement: { instanceType, subnetId },
    host: {
      instanceType,
      rootVolumeGb: values.rootVolumeGb,
      cpuCredits: values.cpuCredits,
      keyName: values.keyName,
    },
    stateVolume: { sizeGb: values.stateVolumeGb },
    /** Values that the configuration brings; the others are put into their secrets by hand. */
    secretValues: { sourceUrl: values.sourceUrl, uiPasswordHash: values.uiPasswordHash, tlsKey: values.tlsKey },
    tlsCertificate: values.tlsCertificate,
    /** What the box's runtime is told as it stands. */
    runtime: { schedule: values.schedule, verifySchedule: values.verifySchedule, timezone: values.timezone },
    observability: { logRetentionDays: values.logRetentionDays, alertEmail: values.alertEmail },
    network: {
      uiPort: values.uiPort,
      uiCidrs: values.uiCidrs,
      sourcePort: values.sourcePort,
      sourceCidrs: values.sourceCidrs,
    },
    warehouse: {
      database: values.database,
      warehouse: values.warehouse,
      size: values.warehouseSize,
      autoSuspendSeconds: values.autoSuspendSeconds,
      statementTimeoutSeconds: values.statementTimeoutSeconds,
    },
    /** What the box is told of the account; checked to be there. */
    snowflakeAccount: {
      organization: values.snowflakeOrganization ?? environment["SNOWFLAKE_ORGANIZATION_NAME"] ?? "",
      account: values.snowflakeAccount ?? environment["SNOWFLAKE_ACCOUNT_NAME"] ?? "",
    },
    /** Database names are the account's too, so two stacks of one account differ in theirs already. */
    access: { prefix: values.accessPrefix ?? values.database, readerSeesStage: values.readerSeesStage },
    runtimeLogin: { cidrs: values.warehouseCidrs, keyPair: keyPair(values) },
    monthlyCreditQuota: values.monthlyCreditQuota,
  };
}

/** Undefined: the box logs in by its role. Without an ARN the private key's secret is one of the stack's own. */
function keyPair(values: Values) {
  const { warehousePublicKey: publicKey, warehousePublicKey2: secondPublicKey } = values;
  const { warehousePrivateKeySecret: privateKeySecret } = values;
  if (publicKey === undefined) return undefined;
  return { publicKey, secondPublicKey, privateKeySecret };
}

type Present<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** The Snowflake provider's types tell an absent argument from an undefined one. */
function withoutUndefined<T extends object>(object: T): Present<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Present<T>;
}

/** @throws RunError, which Pulumi prints without a stack trace: every problem on a line of its own */
export function readSettings(): Settings {
  const checked = checkConfiguration({
    project: pulumi.getProject(),
    values: pulumi.runtime.allConfig(),
    secretKeys: z
      .array(z.string())
      .optional()
      .catch(undefined)
      .parse(parseJson(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "")),
    environment: process.env,
    hasSnowflakeFile: existsSync(join(homedir(), ".snowflake", "config")),
    now: new Date(),
  });
  if ("settings" in checked) return checked.settings;
  const count = checked.problems.length === 1 ? "a problem" : `${checked.problems.length} problems`;
  throw new pulumi.RunError(
    `The configuration of stack ${pulumi.getStack()} has ${count}:\n${checked.problems.map((problem) => `  - ${problem}`).join("\n")}`,
  );
}
