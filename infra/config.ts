/** The stack's configuration: one table of settings, checked as a whole, all problems in one message. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { canonicalCidr, isWorldOpen } from "./cidr.ts";

/** What the check looks at; nothing else. */
export interface RawConfiguration {
  /** Namespace of the program's own settings: the project's name. */
  readonly project: string;
  /** By full key (`novadrive:uiPort`); lists as JSON. */
  readonly values: Readonly<Record<string, string>>;
  /** Full keys of the values that are stored encrypted. */
  readonly secretKeys: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether the user has a file of Snowflake connections, where the provider looks last. */
  readonly hasSnowflakeFile: boolean;
}

export type Settings = ReturnType<typeof arrange>;
export type Checked = { readonly settings: Settings } | { readonly problems: readonly string[] };

interface Setting<T> {
  readonly schema: z.ZodType<T, string | undefined>;
  /** Arguments of `pulumi config set` that would be right; `{key}` stands for the full key. */
  readonly example: string;
  readonly secret?: true | undefined;
}

const setting = <T>(definition: Setting<T>): Setting<T> => definition;

const text = z.string().trim().min(1, "must not be empty");
const optionalText = text.optional();

function whole(minimum: number, maximum: number, standard: number) {
  const complaint = `must be a whole number from ${minimum} to ${maximum}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, complaint)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, complaint)
    .default(standard);
}

function flag(standard: boolean) {
  return z
    .enum(["true", "false"], "must be true or false")
    .transform((value) => value === "true")
    .default(standard);
}

function snowflakeName(standard: string) {
  const complaint = "must be an UPPER CASE name of letters, digits and _ (Snowflake's own form)";
  return z
    .string()
    .regex(/^[A-Z_][A-Z0-9_]{0,254}$/, complaint)
    .default(standard);
}

const SIZES = ["XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "XXLARGE", "XXXLARGE", "X4LARGE"] as const;

const cidrs = (standard: readonly string[]) =>
  z
    .string()
    .default(JSON.stringify(standard))
    .transform((json, context): string[] => {
      const list = z.array(z.string()).safeParse(parseJson(json));
      if (!list.success) {
        context.addIssue("must be a list of networks such as 203.0.113.7/32");
        return z.NEVER;
      }
      for (const entry of list.data) {
        const canonical = canonicalCidr(entry);
        if (canonical === entry) continue;
        const instead =
          canonical === undefined ? "write it like 203.0.113.7/32 or 2001:db8::/32" : `write ${canonical}`;
        context.addIssue(`has ${JSON.stringify(entry)}, which is not the exact form of a network; ${instead}`);
      }
      const repeated = list.data.find((entry, index) => list.data.indexOf(entry) !== index);
      if (repeated !== undefined) context.addIssue(`has ${repeated} twice`);
      return list.data;
    });

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Keys without a namespace are the program's own. */
const SETTINGS = {
  region: setting({
    schema: z.string("is not set").regex(/^[a-z]{2,3}(-[a-z]+)+-\d$/, "must be the name of an AWS region"),
    example: "aws:region sa-east-1",
  }),
  awsProfile: setting({ schema: optionalText, example: "aws:profile <profile>" }),

  snowflakeOrganization: setting({
    schema: z
      .string()
      .regex(
        /^[A-Za-z0-9]+$/,
        "must be the organization's name alone, the part before the dash in <organization>-<account>",
      )
      .optional(),
    example: "snowflake:organizationName <organization>",
  }),
  snowflakeAccount: setting({
    schema: z
      .string()
      .regex(/^[A-Za-z0-9_-]+$/, "must be the account's name alone, without organization, region or host name")
      .optional(),
    example: "snowflake:accountName <account>",
  }),
  snowflakeUser: setting({ schema: optionalText, example: "snowflake:user <user>" }),
  snowflakeRole: setting({ schema: optionalText, example: "snowflake:role SYSADMIN" }),
  snowflakeProfile: setting({ schema: optionalText, example: "snowflake:profile default" }),
  snowflakeAuthenticator: setting({ schema: optionalText, example: "snowflake:authenticator SNOWFLAKE_JWT" }),
  snowflakePrivateKey: setting({
    schema: z.string().includes("PRIVATE KEY-----", "must be a private key in PEM form").optional(),
    example: "--secret snowflake:privateKey < rsa_key.p8",
    secret: true,
  }),
  snowflakeKeyPassphrase: setting({
    schema: optionalText,
    example: "--secret snowflake:privateKeyPassphrase",
    secret: true,
  }),
  snowflakeToken: setting({ schema: optionalText, example: "--secret snowflake:token", secret: true }),

  instanceType: setting({
    schema: z
      .string()
      .regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, "must be the name of an EC2 instance type")
      .default("t2.large"),
    example: "instanceType t2.large",
  }),
  rootVolumeGb: setting({ schema: whole(10, 16_384, 30), example: "rootVolumeGb 30" }),
  subnetId: setting({
    schema: z
      .string()
      .regex(/^subnet-[0-9a-f]+$/, "must be the id of a subnet")
      .optional(),
    example: "subnetId subnet-0123456789abcdef0",
  }),
  uiPort: setting({ schema: whole(1, 65_535, 8080), example: "uiPort 8080" }),
  uiCidrs: setting({ schema: cidrs([]), example: "--path '{key}[0]' 203.0.113.7/32" }),
  uiOpenToTheWorld: setting({ schema: flag(false), example: "uiOpenToTheWorld true" }),
  sourcePort: setting({ schema: whole(1, 65_535, 5432), example: "sourcePort 5432" }),
  sourceCidrs: setting({ schema: cidrs(["0.0.0.0/0"]), example: "--path '{key}[0]' 198.51.100.20/32" }),

  database: setting({ schema: snowflakeName("NOVADRIVE"), example: "database NOVADRIVE" }),
  warehouse: setting({ schema: snowflakeName("DEFAULT_WH"), example: "warehouse DEFAULT_WH" }),
  warehouseSize: setting({
    schema: z.enum(SIZES, `must be one of ${SIZES.join(", ")}`).default("XSMALL"),
    example: "warehouseSize XSMALL",
  }),
  autoSuspendSeconds: setting({ schema: whole(60, 86_400, 60), example: "autoSuspendSeconds 60" }),
  statementTimeoutSeconds: setting({ schema: whole(60, 604_800, 3600), example: "statementTimeoutSeconds 3600" }),
  protect: setting({ schema: flag(true), example: "protect true" }),
};

type SettingName = keyof typeof SETTINGS;
type Values = { readonly [Name in SettingName]: z.output<(typeof SETTINGS)[Name]["schema"]> };

const NAMES = Object.keys(SETTINGS) as SettingName[];

/** The full key of a setting: what its example sets. */
function keyOf(name: SettingName, project: string): string {
  const foreign = /(?:aws|snowflake):\w+/.exec(SETTINGS[name].example);
  return foreign ? foreign[0] : `${project}:${name}`;
}

function command(name: SettingName, project: string): string {
  const key = keyOf(name, project);
  const example = SETTINGS[name].example.replace("{key}", key).replace(new RegExp(`^${name}\\b`), key);
  return `pulumi config set ${example}`;
}

/** Checks everything that can be checked before the first cloud is called. One line a problem, each with the command that mends it. */
export function checkConfiguration(raw: RawConfiguration): Checked {
  const { project, values, secretKeys } = raw;
  const problems: string[] = [];
  const checked: Record<string, unknown> = {};
  for (const name of NAMES) {
    const { schema, secret }: Setting<unknown> = SETTINGS[name];
    const key = keyOf(name, project);
    const value = values[key];
    const result = schema.safeParse(value);
    if (result.success) checked[name] = result.data;
    for (const issue of result.error?.issues ?? []) {
      const shown = secret || value === undefined ? "" : ` (it is ${value})`;
      problems.push(`${key} ${issue.message}${shown}: ${command(name, project)}`);
    }
    if (secret && value !== undefined && !secretKeys.includes(key)) {
      problems.push(`${key} is a secret but stands in the stack's file as plain text: ${command(name, project)}`);
    }
  }
  problems.push(...unknownKeys(raw));
  if (problems.length > 0) return { problems };
  // Every key of the table was checked by the schema that stands beside it.
  const complete = checked as Values;
  problems.push(...crossChecks(complete, raw));
  return problems.length > 0 ? { problems } : { settings: arrange(complete) };
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
  const { project, environment } = raw;
  const problems: string[] = [];
  const open = values.uiCidrs.filter(isWorldOpen);
  if (open.length > 0 && !values.uiOpenToTheWorld) {
    problems.push(
      `${keyOf("uiCidrs", project)} has ${open.join(" and ")}, which opens the console to the whole internet. ` +
        `Name the networks that need it: ${command("uiCidrs", project)}. ` +
        `If everybody is really meant: ${command("uiOpenToTheWorld", project)}`,
    );
  }
  const needed = [
    ["snowflakeOrganization", "SNOWFLAKE_ORGANIZATION_NAME"],
    ["snowflakeAccount", "SNOWFLAKE_ACCOUNT_NAME"],
    ["snowflakeUser", "SNOWFLAKE_USER"],
  ] as const;
  const inProfile = values.snowflakeProfile ?? environment["SNOWFLAKE_PROFILE"] ?? (raw.hasSnowflakeFile || undefined);
  if (inProfile === undefined) {
    for (const [name, variable] of needed) {
      if (values[name] !== undefined || environment[variable]) continue;
      problems.push(
        `${keyOf(name, project)} is not set, nor ${variable} in the environment: ${command(name, project)}`,
      );
    }
  }
  return problems;
}

/** From flat settings to what each part of the program takes. */
function arrange(values: Values) {
  const { subnetId } = values;
  return {
    protect: values.protect,
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
    host: { instanceType: values.instanceType, rootVolumeGb: values.rootVolumeGb, subnetId },
    network: {
      subnetId,
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
  };
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
      .catch([])
      .parse(parseJson(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]")),
    environment: process.env,
    hasSnowflakeFile: existsSync(join(homedir(), ".snowflake", "config")),
  });
  if ("settings" in checked) return checked.settings;
  const count = checked.problems.length === 1 ? "a problem" : `${checked.problems.length} problems`;
  throw new pulumi.RunError(
    `The configuration of stack ${pulumi.getStack()} has ${count}:\n${checked.problems.map((problem) => `  - ${problem}`).join("\n")}`,
  );
}
