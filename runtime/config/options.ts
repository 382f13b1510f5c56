/** The one table of settings: each entry gives the environment variable, the flag, the help line, the default and the check. */
import { validate as validCron } from "node-cron";
import { z } from "zod";
import { hasPrivateKey, readPrivateKey } from "./certificate.ts";
import { parsePasswordHash } from "./password-hash.ts";
import { isReference, parseReference, REFERENCE_FORM } from "./secret-reference.ts";

export interface Option<T> {
  /** Without the prefix: `SOURCE_URL` is the environment variable NOVADRIVE_SOURCE_URL and the flag --source-url. */
  readonly name: string;
  /** What stands for the value in the help text. */
  readonly placeholder: string;
  readonly help: string;
  readonly schema: z.ZodType<T, string | undefined>;
  /** As it would be written; undefined where the setting may be absent. */
  readonly default?: string | undefined;
  /** Set where the value must not be shown. */
  readonly secret?: true | undefined;
  /** What a secret has to hold that the setting refers to, where the setting itself may be something else. */
  readonly stored?: z.ZodType<T, string | undefined> | undefined;
}

const option = <T>(definition: Option<T>): Option<T> => definition;

const text = z.string().trim().min(1, "must not be empty");

/** A whole number within bounds, written in digits. */
function whole(minimum: number, maximum: number) {
  const complaint = `must be a whole number from ${minimum} to ${maximum}`;
  return z
    .string()
    .regex(/^\d+$/, complaint)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, complaint);
}

const url = (...protocols: readonly string[]) =>
  text.refine(
    (value) => protocols.some((protocol) => value.startsWith(`${protocol}:`)),
    `must begin with ${protocols.map((protocol) => `${protocol}:`).join(" or ")}`,
  );

/** The value itself, or where it is kept. */
const orReference = <T extends z.ZodType<string, string>>(value: T) =>
  text.check((context) => {
    const complaint = isReference(context.value)
      ? parseReference(context.value)
        ? undefined
        : `must be a reference to a secret of the form ${REFERENCE_FORM}`
      : value.safeParse(context.value).error?.issues[0]?.message;
    if (complaint !== undefined) context.issues.push({ code: "custom", message: complaint, input: context.value });
  });

const passwordHash = text.check((context) => {
  const parsed = parsePasswordHash(context.value);
  if (!("problem" in parsed)) return;
  const message = `must be what \`novadrive password\` prints, or ${REFERENCE_FORM}; it ${parsed.problem}`;
  context.issues.push({ code: "custom", message, input: context.value });
});

const file = text.refine(
  (value) => !hasPrivateKey(value),
  `must be a file, or ${REFERENCE_FORM}; the key itself does not belong among the settings, where it is easily read`,
);

const privateKey = text.check((context) => {
  const key = readPrivateKey(context.value);
  if ("problem" in key) context.issues.push({ code: "custom", message: key.problem, input: context.value });
});

const timeZone = text.refine(isTimeZone, "must be an IANA time zone such as America/Sao_Paulo");

function isTimeZone(name: string): boolean {
  // The default. The first use of Intl loads its data, which takes longer than reading all other settings.
  if (name === "UTC") return true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const OPTIONS = {
  sourceUrl: option({
    name: "SOURCE_URL",
    placeholder: "url",
    help: "PostgreSQL to read: postgres://user:password@host:5432/database?sslmode=verify-full, or aws-secretsmanager:<secret that holds it>",
    schema: orReference(url("postgres", "postgresql")).optional(),
    secret: true,
  }),
  warehouseUrl: option({
    name: "WAREHOUSE_URL",
    placeholder: "url",
    help: "warehouse to write: duckdb:<file>, or snowflake://<org>-<account>/<database>?warehouse=…&role=…&user=…&private_key=<file or secret>",
    schema: url("duckdb", "snowflake"),
    default: "duckdb:./warehouse.duckdb",
    secret: true,
  }),
  projectDir: option({
    name: "PROJECT_DIR",
    placeholder: "folder",
    help: "folder of the dbt project, which holds models/manifest.yml",
    schema: text,
    default: "./sql",
  }),
  stateDir: option({
    name: "STATE_DIR",
    placeholder: "folder",
    help: "folder for run history, compiled SQL and files on their way",
    schema: text,
    default: "./.novadrive",
  }),
  schedule: option({
    name: "SCHEDULE",
    placeholder: "cron",
    help: "when batches run, as a cron expression of five or six fields",
    schema: text.refine(validCron, 'must be a cron expression such as "0 3 * * *" (daily at three)'),
    default: "0 3 * * *",
  }),
  verifySchedule: option({
    name: "VERIFY_SCHEDULE",
    placeholder: "cron|off",
    help: "when `serve` verifies that the stage tables equal the source, as a cron expression, or off; each wakes a warehouse that is billed by use",
    schema: text.refine(
      (value) => value === "off" || validCron(value),
      'must be off, or a cron expression such as "0 5 * * 0" (Sundays at five)',
    ),
    default: "0 5 * * 0",
  }),
  timezone: option({
    name: "TIMEZONE",
    placeholder: "zone",
    help: "time zone of the schedules",
    schema: timeZone,
    default: "UTC",
  }),
  port: option({
    name: "PORT",
    placeholder: "port",
    help: "port of the status page; 0 picks a free one",
    schema: whole(0, 65_535),
    default: "8080",
  }),
  host: option({
    name: "HOST",
    placeholder: "address",
    help: "address that the status page listens on; beyond loopback it needs a login and TLS",
    schema: text,
    default: "127.0.0.1",
  }),
  uiPasswordHash: option({
    name: "UI_PASSWORD_HASH",
    placeholder: "hash",
    help: "login of the status page: the hash that `novadrive password` prints, or aws-secretsmanager:<secret that holds it>",
    schema: orReference(passwordHash).optional(),
    secret: true,
  }),
  uiTlsCert: option({
    name: "UI_TLS_CERT",
    placeholder: "file",
    help: "certificate of the status page (PEM, with those between it and its authority); with it the page speaks https",
    schema: text.optional(),
  }),
  uiTlsKey: option({
    name: "UI_TLS_KEY",
    placeholder: "file",
    help: "private key of that certificate (PEM, no passphrase): its file, or aws-secretsmanager:<secret that holds it>",
    schema: orReference(file).optional(),
    secret: true,
    stored: privateKey,
  }),
  uiInsecureHttp: option({
    name: "UI_INSECURE_HTTP",
    placeholder: "yes|no",
    help: "yes lets the page listen beyond loopback without TLS, where everybody on the way can read the password",
    schema: z.enum(["yes", "no"], "must be yes or no").transform((value) => value === "yes"),
    default: "no",
  }),
  readers: option({
    name: "READERS",
    placeholder: "n",
    help: "connections that read from PostgreSQL at the same time; without it, one for each processor, at most 4",
    schema: whole(1, 16).optional(),
  }),
  rowsPerSecond: option({
    name: "ROWS_PER_SECOND",
    placeholder: "n",
    help: "rows that all readers together take from PostgreSQL in a second, on average; 0 for no limit",
    schema: whole(0, 1_000_000_000),
    default: "0",
  }),
  snapshotLimit: option({
    name: "SNAPSHOT_LIMIT",
    placeholder: "seconds",
    help: "how long a batch or verification may hold its snapshot, which keeps VACUUM from removing rows; it stops then, and nothing is published; 0 for no limit",
    schema: whole(0, 604_800),
    default: "0",
  }),
  threads: option({
    name: "THREADS",
    placeholder: "n",
    help: "models and tests that run at the same time; without it, as many as the warehouse gains from",
    schema: whole(1, 64).optional(),
  }),
  retries: option({
    name: "RETRIES",
    placeholder: "n",
    help: "further attempts of a task whose error may pass",
    schema: whole(0, 100),
    default: "1",
  }),
  retryDelay: option({
    name: "RETRY_DELAY",
    placeholder: "seconds",
    help: "wait before the first further attempt",
    schema: whole(0, 86_400),
    default: "60",
  }),
  retryBackoff: option({
    name: "RETRY_BACKOFF",
    placeholder: "factor",
    help: "by how much each further wait is longer than the one before",
    schema: z
      .string()
      .regex(/^\d+(\.\d+)?$/, "must be a number of 1 or more")
      .transform(Number)
      .refine((value) => value >= 1 && value <= 10, "must be a number from 1 to 10"),
    default: "2",
  }),
  taskTimeout: option({
    name: "TASK_TIMEOUT",
    placeholder: "seconds",
    help: "time limit of one task",
    schema: whole(1, 604_800),
    default: "3600",
  }),
  logLevel: option({
    name: "LOG_LEVEL",
    placeholder: "level",
    help: "debug, info, warn or error",
    schema: z.enum(["debug", "info", "warn", "error"], "must be debug, info, warn or error"),
    default: "info",
  }),
} as const;

export type OptionName = keyof typeof OPTIONS;

/** All settings, checked. */
export type Config = { readonly [K in OptionName]: z.output<(typeof OPTIONS)[K]["schema"]> };
