/** The one table of settings: each entry gives the check, the default and the command that sets it. */
import { z } from "zod";
import { OPTIONS, type Option } from "../runtime/config/options.ts";
import { hasPrivateKey, readChain, readPrivateKey, type PemProblem } from "../runtime/config/certificate.ts";
import { parseReference, REFERENCE_SCHEME } from "../runtime/config/secret-reference.ts";
import { canonicalCidr } from "./cidr.ts";
import { architectureOf } from "./instance-type.ts";
import { rsaPublicKey } from "./snowflake/public-key.ts";

export interface Setting<T> {
  readonly schema: z.ZodType<T, string | undefined>;
  /** Full key of a setting that belongs to a provider; otherwise it is the program's own, named as in the table. */
  readonly key?: string | undefined;
  /** Arguments of `pulumi config set` that would be right; `{key}` stands for the full key. */
  readonly example: string;
  readonly secret?: true | undefined;
  /** Messages do not repeat the value: it is long, and by mistake it may be a private key. */
  readonly unquoted?: true | undefined;
}

const setting = <T>(definition: Setting<T>): Setting<T> => definition;

const optionalText = z.string().trim().min(1, "must not be blank").optional();
const pem = (kind: string, what: string) =>
  z.string().includes(`${kind}-----`, `must be ${what} in PEM form`).optional();

/** A text that one of the runtime's own readers takes. */
const readable = (form: string, read: (text: string) => PemProblem | object) =>
  z
    .string()
    .check((context) => {
      if (!context.value.includes("-----BEGIN ")) {
        context.issues.push({ code: "custom", message: form, input: context.value });
        return;
      }
      const found = read(context.value);
      if ("problem" in found) context.issues.push({ code: "custom", message: found.problem, input: context.value });
    })
    .optional();

const BOTH = {
  problem:
    "has a private key in it, which is now in plain text in the stack's file and has to be replaced; it must be the certificate alone",
};

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

const snowflakeName = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]{0,254}$/, "must be an UPPER CASE name of letters, digits and _ (Snowflake's own form)");

const publicKey = z
  .string()
  .transform((pem, context): string => {
    const key = rsaPublicKey(pem);
    if (key !== undefined) return key;
    context.addIssue("must be the public key of an RSA key pair of 2048 bits or more, in PEM form");
    return z.NEVER;
  })
  .optional();

const SIZES = ["XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "XXLARGE", "XXXLARGE", "X4LARGE"] as const;

/** The only times that CloudWatch takes. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const RETENTIONS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

function retention(standard: number) {
  const complaint = `must be a number of days that CloudWatch offers: ${RETENTIONS.join(", ")}`;
  return z
    .string()
    .transform(Number)
    .refine((value) => RETENTIONS.includes(value), complaint)
    .default(standard);
}

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

/** A setting of the runtime, as it would be written there: its own check and default hold here. */
const runtimeOption = ({ schema, default: standard = "" }: Option<unknown>) =>
  z
    .string()
    .default(standard)
    .check((context) => {
      const { error } = schema.safeParse(context.value);
      for (const { message } of error?.issues ?? []) {
        context.issues.push({ code: "custom", message, input: context.value });
      }
    });

/** What the text holds; undefined if it is no JSON. */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

export const SETTINGS = {
  region: setting({
    schema: z.string("is not set").regex(/^[a-z]{2,3}(-[a-z]+)+-\d$/, "must be the name of an AWS region"),
    key: "aws:region",
    example: "{key} sa-east-1",
  }),
  awsProfile: setting({ schema: optionalText, key: "aws:profile", example: "{key} <profile>" }),

  snowflakeOrganization: setting({
    schema: z
      .string()
      .regex(
        /^[A-Za-z0-9]+$/,
        "must be the organization's name alone, the part before the dash in <organization>-<account>",
      )
      .optional(),
    key: "snowflake:organizationName",
    example: "{key} <organization>",
  }),
  snowflakeAccount: setting({
    schema: z
      .string()
      .regex(/^[A-Za-z0-9_-]+$/, "must be the account's name alone, without organization, region or host name")
      .optional(),
    key: "snowflake:accountName",
    example: "{key} <account>",
  }),
  snowflakeUser: setting({ schema: optionalText, key: "snowflake:user", example: "{key} <user>" }),
  snowflakeRole: setting({ schema: optionalText, key: "snowflake:role", example: "{key} SYSADMIN" }),
  snowflakeProfile: setting({ schema: optionalText, key: "snowflake:profile", example: "{key} default" }),
  snowflakeAuthenticator: setting({
    schema: optionalText,
    key: "snowflake:authenticator",
    example: "{key} SNOWFLAKE_JWT",
  }),
  snowflakePrivateKey: setting({
    schema: pem("PRIVATE KEY", "a private key"),
    key: "snowflake:privateKey",
    example: "--secret {key} < rsa_key.p8",
    secret: true,
  }),
  snowflakeKeyPassphrase: setting({
    schema: optionalText,
    key: "snowflake:privateKeyPassphrase",
    example: "--secret {key}",
    secret: true,
  }),
  snowflakeToken: setting({ schema: optionalText, key: "snowflake:token", example: "--secret {key}", secret: true }),

  kind: setting({
    schema: z.enum(["dev", "prod"], "must be dev (disposable) or prod (protected)").default("prod"),
    example: "{key} dev",
  }),
  instanceType: setting({
    schema: z
      .string()
      .regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, "must be the name of an EC2 instance type")
      .refine(
        (type) => architectureOf(type) === "amd64",
        "must be an x86-64 type, for which the bundle's Node.js and native modules are built; this one is ARM",
      )
      .default("t2.large"),
    example: "{key} t2.large",
  }),
  cpuCredits: setting({
    schema: z
      .enum(["standard", "unlimited"], "must be standard (no surprise on the bill) or unlimited (no throttling)")
      .default("standard"),
    example: "{key} standard",
  }),
  rootVolumeGb: setting({ schema: whole(10, 16_384, 30), example: "{key} 30" }),
  stateVolumeGb: setting({ schema: whole(1, 16_384, 20), example: "{key} 20" }),
  keyName: setting({ schema: optionalText, example: "{key} <name of an EC2 key pair>" }),
  subnetId: setting({
    schema: z
      .string()
      .regex(/^subnet-[0-9a-f]+$/, "must be the id of a subnet")
      .optional(),
    example: "{key} subnet-0123456789abcdef0",
  }),
  uiPort: setting({ schema: whole(1, 65_535, 8080), example: "{key} 8080" }),
  uiCidrs: setting({ schema: cidrs([]), example: "--path '{key}[0]' 203.0.113.7/32" }),
  uiOpenToTheWorld: setting({ schema: flag(false), example: "{key} true" }),
  sourcePort: setting({ schema: whole(1, 65_535, 5432), example: "{key} 5432" }),
  sourceCidrs: setting({ schema: cidrs(["0.0.0.0/0"]), example: "--path '{key}[0]' 198.51.100.20/32" }),

  sourceUrl: setting({
    schema: z
      .string()
      .regex(/^postgres(?:ql)?:\/\/./, "must be a URL such as postgres://loader:<password>@db.example:5432/shop")
      .optional(),
    example: "--secret {key}",
    secret: true,
  }),
  uiPasswordHash: setting({ schema: optionalText, example: "--secret {key}", secret: true }),
  tlsCertificate: setting({
    schema: readable("must be a certificate, its chain behind it, in PEM form", (text) =>
      hasPrivateKey(text) ? BOTH : readChain(text),
    ),
    example: "{key} < fullchain.pem",
    unquoted: true,
  }),
  tlsKey: setting({
    schema: readable("must be a private key in PEM form", readPrivateKey),
    example: "--secret {key} < privkey.pem",
    secret: true,
  }),

  schedule: setting({ schema: runtimeOption(OPTIONS.schedule), example: "{key} '0 3 * * *'" }),
  verifySchedule: setting({ schema: runtimeOption(OPTIONS.verifySchedule), example: "{key} '0 5 * * 0'" }),
  timezone: setting({ schema: runtimeOption(OPTIONS.timezone), example: "{key} America/Sao_Paulo" }),

  logRetentionDays: setting({ schema: retention(30), example: "{key} 30" }),
  alertEmail: setting({
    schema: z
      .string()
      .regex(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, "must be an e-mail address")
      .optional(),
    example: "{key} data@example.com",
  }),

  database: setting({ schema: snowflakeName.default("NOVADRIVE"), example: "{key} NOVADRIVE" }),
  warehouse: setting({ schema: snowflakeName.default("DEFAULT_WH"), example: "{key} DEFAULT_WH" }),
  warehouseSize: setting({
    schema: z.enum(SIZES, `must be one of ${SIZES.join(", ")}`).default("XSMALL"),
    example: "{key} XSMALL",
  }),
  autoSuspendSeconds: setting({ schema: whole(60, 86_400, 60), example: "{key} 60" }),
  statementTimeoutSeconds: setting({ schema: whole(60, 604_800, 3600), example: "{key} 3600" }),
  monthlyCreditQuota: setting({ schema: whole(0, 1_000_000, 0), example: "{key} 40" }),
  accessPrefix: setting({ schema: snowflakeName.optional(), example: "{key} NOVADRIVE" }),
  readerSeesStage: setting({ schema: flag(false), example: "{key} true" }),
  warehouseCidrs: setting({ schema: cidrs([]), example: "--path '{key}[0]' 203.0.113.7/32" }),
  warehousePublicKey: setting({ schema: publicKey, example: "{key} < rsa_key.pub", unquoted: true }),
  warehousePublicKey2: setting({ schema: publicKey, example: "{key} < rsa_key_2.pub", unquoted: true }),
  warehousePrivateKeySecret: setting({
    schema: z
      .string()
      .refine(
        isSecretArn,
        "must be the ARN of a secret in AWS Secrets Manager, with the six characters that AWS puts behind its name",
      )
      .optional(),
    example: "{key} arn:aws:secretsmanager:<region>:<account>:secret:<name>-<suffix>",
  }),
};

function isSecretArn(text: string): boolean {
  // The box's role names the secret in full, and IAM takes nothing less for it.
  return /^arn:.*-[A-Za-z0-9]{6}$/.test(text) && parseReference(`${REFERENCE_SCHEME}${text}`) !== undefined;
}
