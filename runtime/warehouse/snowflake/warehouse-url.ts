/** `snowflake://<org>-<account>/<database>?warehouse=…&role=…` as the facts that a connection needs. */
import leven from "leven";
import { z } from "zod";
import { parseReference, REFERENCE_SCHEME } from "../../config/secret-reference.ts";
import { NovaError } from "../../core/errors.ts";

export interface SnowflakeTarget {
  readonly engine: "snowflake";
  /** `<org>-<account>`, or a locator with its region. */
  readonly account: string;
  /** Names as Snowflake has them: upper case unless they were quoted. */
  readonly database: string;
  readonly warehouse: string;
  readonly role: string;
  readonly user?: string | undefined;
  readonly login: SnowflakeLogin;
  /** Where it is not `<account>.snowflakecomputing.com`. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly protocol: "https" | "http";
}

type SnowflakeLogin =
  | { readonly authenticator: "WORKLOAD_IDENTITY" }
  | { readonly authenticator: "SNOWFLAKE_JWT"; readonly privateKey: PrivateKeyReference };

export type PrivateKeyReference =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "secret"; readonly id: string; readonly region?: string | undefined };

/** What a URL looks like; remedies show it. */
const EXAMPLE = "snowflake://myorg-myaccount/NOVADRIVE?warehouse=DEFAULT_WH&role=NOVADRIVE_RUNTIME";
const SUFFIX = /\.snowflakecomputing\.(?:com|cn)$/i;
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[?::1\]?)$/;

const PARAMETERS = [
  "warehouse",
  "role",
  "user",
  "authenticator",
  "private_key",
  "host",
  "port",
  "protocol",
] as const satisfies readonly string[];

type Parameter = (typeof PARAMETERS)[number];

/** A name as Snowflake resolves it: bare ones in upper case, quoted ones as they are. */
const objectName = (what: string) =>
  z
    .string(`names no ${what}`)
    .trim()
    .min(1, `names no ${what}`)
    .max(255, `has a ${what} of more than 255 characters`)
    .regex(/^(?:[a-z_][a-z0-9_$]*|"(?:[^"\0]|"")+")$/i, `has a ${what} that is not an identifier`)
    .transform((name) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toUpperCase()));

const Parts = z.object({
  account: z
    .string()
    .transform((account) => account.replace(SUFFIX, ""))
    .pipe(
      z
        .string()
        .min(1, "names no account")
        .regex(/^\w+(?:[.-]\w+)*$/, "has an account that is not of the form <organization>-<account>"),
    ),
  database: objectName("database"),
  warehouse: objectName("warehouse"),
  role: objectName("role"),
  user: z.string().trim().min(1, "has an empty user").optional(),
  authenticator: z
    .string()
    .transform((name) => name.toUpperCase())
    .pipe(z.enum(["WORKLOAD_IDENTITY", "SNOWFLAKE_JWT"], "has an authenticator that is not offered"))
    .optional(),
  private_key: z
    .string()
    .trim()
    .min(1, "has an empty private_key")
    .refine((key) => !key.includes("-----BEGIN"), "holds a private key itself, where only its place may stand")
    .optional(),
  host: z
    .string()
    .regex(/^(?:[a-z0-9._-]+|\[[0-9a-f:]+\])$/i, "has a host that is no host name")
    .optional(),
  port: z
    .string()
    .regex(/^\d{1,5}$/, "has a port that is no number")
    .transform(Number)
    .refine((port) => port > 0 && port < 65_536, "has a port that is not between 1 and 65535")
    .optional(),
  protocol: z.enum(["https", "http"], "has a protocol other than https").default("https"),
});

/** What to do, by the part of the URL that is wrong. */
const REMEDIES: Readonly<Record<string, string>> = {
  account: "Copy the account identifier from Snowsight: account menu, Account, View account details.",
  database: "Give the database as the path: /NOVADRIVE.",
  warehouse: "Add ?warehouse=<name>; `pulumi stack output` shows it.",
  role: "Add &role=<name>; `pulumi stack output` shows it.",
  authenticator: "Leave authenticator out: workload identity is the default, a key pair is used with private_key=.",
  private_key: "Set private_key to the path of a PEM file, or to the ARN of a secret in AWS Secrets Manager.",
};

/**
 * Reads a Snowflake URL. Nothing of it but names of parameters is ever quoted, since anything else may be a secret.
 *
 * @throws NovaError CONFIG_INVALID, every problem a line
 */
export function parseSnowflakeUrl(url: string): SnowflakeTarget {
  const parsed = URL.parse(url.trim());
  if (parsed?.protocol !== "snowflake:") {
    throw new NovaError("CONFIG_INVALID", "NOVADRIVE_WAREHOUSE_URL is not a URL that begins with snowflake://.", {
      remedy: `Write it like ${EXAMPLE}.`,
    });
  }
  refusePasswords(parsed);
  const problems = unknownParameters(parsed);
  const result = Parts.safeParse(rawParts(parsed, problems));
  if (!result.success) {
    for (const { message, path } of result.error.issues) {
      problems.push({ message: `NOVADRIVE_WAREHOUSE_URL ${message}.`, remedy: REMEDIES[String(path[0])] });
    }
  }
  if (result.success && problems.length === 0) return target(result.data);
  throw new NovaError("CONFIG_INVALID", problems.map(({ message }) => message).join("\n"), {
    remedy: [...new Set(problems.flatMap(({ remedy }) => remedy ?? []))].join(" ") || `Write it like ${EXAMPLE}.`,
  });
}

interface Problem {
  readonly message: string;
  readonly remedy?: string | undefined;
}

function refusePasswords(url: URL): void {
  const named = [...url.searchParams.keys()].find((name) => /^[a-z_-]*(?:pass|pwd|token|secret)[a-z_-]*$/i.test(name));
  if (url.username === "" && url.password === "" && named === undefined) return;
  throw new NovaError(
    "CONFIG_INVALID",
    named === undefined
      ? "NOVADRIVE_WAREHOUSE_URL holds a login before the @; Snowflake no longer takes passwords of programs."
      : `NOVADRIVE_WAREHOUSE_URL has the parameter ${JSON.stringify(named)}; Snowflake no longer takes passwords of programs.`,
    {
      remedy:
        "Take it out. On an EC2 box leave it at workload identity, which needs no secret; elsewhere use a key pair: " +
        "&user=<user>&private_key=<file or ARN of a secret>.",
    },
  );
}

function isParameter(name: string): name is Parameter {
  return PARAMETERS.some((parameter) => parameter === name);
}

function unknownParameters(url: URL): Problem[] {
  return [...new Set(url.searchParams.keys())]
    .filter((name) => !isParameter(name))
    .map((name) => {
      const known = `It takes ${PARAMETERS.join(", ")}.`;
      // What stands behind a stray "?" may be the rest of a password.
      if (!/^[a-z][a-z_-]{0,30}$/i.test(name)) {
        return { message: "NOVADRIVE_WAREHOUSE_URL has something behind its ? that is no parameter.", remedy: known };
      }
      const near = PARAMETERS.find((parameter) => leven(parameter, name.toLowerCase().replaceAll("-", "_")) <= 2);
      return {
        message: `NOVADRIVE_WAREHOUSE_URL has the unknown parameter ${JSON.stringify(name)}${near ? `; did you mean ${near}?` : "."}`,
        remedy: known,
      };
    });
}

function rawParts(url: URL, problems: Problem[]): Record<string, string | undefined> {
  const parts: Record<string, string | undefined> = { account: url.hostname };
  const path = url.pathname.replace(/^\//, "").replace(/\/$/, "");
  if (path.includes("/")) {
    problems.push({
      message: "NOVADRIVE_WAREHOUSE_URL has more than a database in its path.",
      remedy: "Name the database alone; schemas come from the manifest and the project.",
    });
  }
  parts["database"] = path === "" ? undefined : decode(path.split("/")[0] ?? "", problems);
  if (url.port !== "") {
    problems.push({
      message: "NOVADRIVE_WAREHOUSE_URL has a port after the account.",
      remedy: "Take it out; a port of another host is given as &host=…&port=….",
    });
  }
  for (const name of PARAMETERS) {
    const values = url.searchParams.getAll(name);
    if (values.length > 1) {
      problems.push({ message: `NOVADRIVE_WAREHOUSE_URL gives ${name} twice.`, remedy: "Give it once." });
    }
    parts[name] = values[0];
  }
  return parts;
}

function decode(text: string, problems: Problem[]): string {
  try {
    return decodeURIComponent(text);
  } catch {
    problems.push({
      message: "NOVADRIVE_WAREHOUSE_URL has a % in its path that is no escape.",
      remedy: "Write %25 for a %.",
    });
    return text;
  }
}

function target(parts: z.output<typeof Parts>): SnowflakeTarget {
  const { account, database, warehouse, role, user, host, port, protocol } = parts;
  if (protocol === "http" && !LOOPBACK.test(host ?? "")) {
    throw new NovaError(
      "CONFIG_INVALID",
      "NOVADRIVE_WAREHOUSE_URL asks for http, which would show tokens to the network.",
      {
        remedy: "Take protocol=http out; it is for test servers on this machine only.",
      },
    );
  }
  const common = { engine: "snowflake", account, database, warehouse, role, user, host, port, protocol } as const;
  return { ...common, login: login(parts) };
}

function login({ authenticator, private_key: key, user }: z.output<typeof Parts>): SnowflakeLogin {
  if (key === undefined && authenticator !== "SNOWFLAKE_JWT") return { authenticator: "WORKLOAD_IDENTITY" };
  const problem =
    key === undefined
      ? "asks for a key pair, but names no private key"
      : authenticator === "WORKLOAD_IDENTITY"
        ? "has a private key, which workload identity does not use"
        : user === undefined
          ? "has a private key, but no user that it belongs to"
          : undefined;
  if (key !== undefined && problem === undefined) {
    return { authenticator: "SNOWFLAKE_JWT", privateKey: privateKeyReference(key) };
  }
  throw new NovaError("CONFIG_INVALID", `NOVADRIVE_WAREHOUSE_URL ${problem}.`, {
    remedy:
      "Give both for a key pair: &user=<user>&private_key=<file or ARN of a secret>; or neither, for workload identity.",
  });
}

function privateKeyReference(text: string): PrivateKeyReference {
  const secret = parseReference(text.startsWith("arn:") ? `${REFERENCE_SCHEME}${text}` : text);
  if (secret) return { kind: "secret", ...secret };
  if (/^(?:arn|aws-secretsmanager):/.test(text)) {
    throw new NovaError(
      "CONFIG_INVALID",
      "NOVADRIVE_WAREHOUSE_URL has a private_key that is no reference to a secret.",
      {
        remedy:
          "Write private_key=arn:aws:secretsmanager:<region>:<account>:secret:<name>, or private_key=aws-secretsmanager:<name>?region=<region>.",
      },
    );
  }
  return { kind: "file", path: text.replace(/^file:(?:\/\/(?=\/))?/, "") };
}
