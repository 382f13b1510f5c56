/**
 * Stands in for the AWS command line: `node aws.ts <service> <operation> …`. It takes the calls that the documentation makes, each
 * flag with a value of the right form, and refuses every other. What it was told is in the folder that AWS_STAND_IN names.
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

interface Call {
  /** What IAM asks for; undefined for what the account's administrator does. */
  readonly action?: string;
  /** Form of the one argument without a flag. */
  readonly argument?: RegExp;
  readonly flags: Readonly<Record<string, RegExp>>;
  readonly run?: (values: Readonly<Record<string, string>>, folder: string) => string;
}

/** A line of calls.jsonl. */
export interface MadeCall {
  readonly call: string;
  readonly action: string | null;
  readonly values: Readonly<Record<string, string>>;
}

const ACCOUNT = "123456789012";
const region = /^[a-z]{2}-[a-z]+-\d$/;
/** A managed policy, white space not counted: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const POLICY_CHARACTERS = 6144;

const CALLS: Readonly<Record<string, Call>> = {
  "sts get-caller-identity": {
    action: "sts:GetCallerIdentity",
    flags: {},
    run: () => JSON.stringify({ Account: ACCOUNT, Arn: `arn:aws:iam::${ACCOUNT}:user/deployer` }),
  },
  "iam create-policy": {
    flags: { "policy-name": /^[\w+=,.@-]{1,128}$/, "policy-document": /^file:\/\/[\w./-]+\.json$/ },
    run: (values) => {
      const text = readFileSync((values["policy-document"] ?? "").slice("file://".length), "utf8");
      const document: unknown = JSON.parse(text);
      if (JSON.stringify(document).replaceAll(/\s/g, "").length > POLICY_CHARACTERS) throw new Error("LimitExceeded");
      return JSON.stringify({ Policy: { Arn: `arn:aws:iam::${ACCOUNT}:policy/${values["policy-name"]}` } });
    },
  },
  "iam attach-user-policy": {
    flags: { "user-name": /^[\w+=,.@-]{1,64}$/, "policy-arn": /^arn:aws:iam::\d{12}:policy\/[\w+=,.@-]+$/ },
  },
  "secretsmanager put-secret-value": {
    action: "secretsmanager:PutSecretValue",
    flags: { region, "secret-id": /^[\w/+=.@-]+$/, "secret-string": /^file:\/\/\/dev\/stdin$/ },
    run: (values, folder) => {
      const secrets = join(folder, "secrets");
      mkdirSync(secrets, { recursive: true });
      writeFileSync(join(secrets, encodeURIComponent(values["secret-id"] ?? "")), readFileSync(0, "utf8"));
      return JSON.stringify({ Name: values["secret-id"], VersionStages: ["AWSCURRENT"] });
    },
  },
  "ssm start-session": {
    action: "ssm:StartSession",
    flags: {
      region,
      target: /^[\w-]{10,}$/,
      "document-name": /^AWS-StartPortForwardingSession$/,
      parameters: /^\{"portNumber":\["\d+"\],"localPortNumber":\["\d+"\]\}$/,
    },
  },
  "logs tail": {
    action: "logs:FilterLogEvents",
    argument: /^[\w./#-]{1,512}$/,
    flags: { region, follow: /^$/ },
  },
};

/** @throws Error for anything that no call of the table is */
function parse(words: readonly string[]): { readonly call: Call; readonly made: MadeCall } {
  const name = words.slice(0, 2).join(" ");
  const call = CALLS[name];
  if (call === undefined) throw new Error(`The stand-in for aws knows no ${name}`);
  const values: Record<string, string> = {};
  const rest = words.slice(2);
  if (call.argument !== undefined) take("argument", rest.shift(), call.argument, values);
  while (rest.length > 0) {
    const flag = rest.shift() ?? "";
    const form = flag.startsWith("--") ? call.flags[flag.slice(2)] : undefined;
    if (form === undefined) throw new Error(`${name} takes no ${flag}`);
    take(flag.slice(2), form.test("") ? "" : rest.shift(), form, values);
  }
  const missing = Object.keys(call.flags).filter((flag) => !(flag in values));
  if (missing.length > 0) throw new Error(`${name} lacks ${missing.join(", ")}`);
  return { call, made: { call: name, action: call.action ?? null, values } };
}

function take(name: string, value: string | undefined, form: RegExp, into: Record<string, string>): void {
  if (value === undefined || !form.test(value)) throw new Error(`${name} is ${value ?? "missing"}, not like ${form}`);
  if (name in into) throw new Error(`${name} is there twice`);
  into[name] = value;
}

if (import.meta.main) {
  const folder = process.env["AWS_STAND_IN"];
  if (folder === undefined) throw new Error("AWS_STAND_IN names no folder");
  try {
    const { call, made } = parse(process.argv.slice(2));
    const answer = call.run?.(made.values, folder);
    if (answer !== undefined) process.stdout.write(`${answer}\n`);
    appendFileSync(join(folder, "calls.jsonl"), `${JSON.stringify(made)}\n`);
  } catch (thrown) {
    process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    process.exitCode = 255;
  }
}
