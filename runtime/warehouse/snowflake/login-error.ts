/** Why a login failed, and what mends it. */
import { NovaError } from "../../core/errors.ts";
import { identifier } from "../../core/sql.ts";
import type { DriverFailure } from "./driver-failure.ts";
import { isUnreachable, unreachable } from "./unreachable.ts";
import type { SnowflakeTarget } from "./warehouse-url.ts";

/**
 * Numbers of https://docs.snowflake.com/en/sql-reference/functions/system_get_login_failure_details: 390144 JWT_TOKEN_INVALID, 394300 to
 * 394307 its reasons, which Snowflake tells an administrator alone. 390100 (wrong user), 390101 (disabled), 390186 and 390189 (role), 390201
 * (database) and 390422 (network policy) are as the Go, Python and .NET drivers' tests and public bug reports quote them.
 */
export function loginError(failure: DriverFailure, target: SnowflakeTarget): NovaError {
  const { number, httpStatus, queryId, sqlState, kind } = failure.facts;
  const context: LoginContext = { failure, target, user: target.user ?? "the workload's user" };
  const details = { number, sqlState, queryId, httpStatus };
  const found =
    RULES.find(({ numbers, pattern }) => {
      return (number !== undefined && numbers?.includes(number)) || pattern?.test(failure.message);
    })?.error(context) ?? fallback(context);
  if (found !== undefined) {
    return new NovaError(found.code, found.message, { remedy: found.remedy, details, cause: failure });
  }
  if (isUnreachable(failure)) return unreachable(failure, target, "the login");
  return new NovaError("WAREHOUSE_AUTH_FAILED", `Snowflake did not log in: ${failure.message}`, {
    details: { ...details, kind },
    cause: failure,
  });
}

interface LoginContext {
  readonly failure: DriverFailure;
  readonly target: SnowflakeTarget;
  readonly user: string;
}

interface Explanation {
  readonly code:
    | "WAREHOUSE_AUTH_FAILED"
    | "WAREHOUSE_OBJECT_MISSING"
    | "WAREHOUSE_QUOTA"
    | "CONFIG_INVALID"
    | "WAREHOUSE_PERMISSION";
  readonly message: string;
  readonly remedy: string;
}

interface Rule {
  readonly numbers?: readonly number[];
  readonly pattern?: RegExp;
  readonly error: (context: LoginContext) => Explanation;
}

const RULES: readonly Rule[] = [
  {
    numbers: [390_422],
    pattern: /is not allowed to access Snowflake/i,
    error: ({ failure, user }) => {
      const address = /IP\/Token (\S+)|IP (?:address )?(\d\S+)/i.exec(failure.message);
      const from = address?.[1] ?? address?.[2] ?? "this machine's address";
      return {
        code: "WAREHOUSE_AUTH_FAILED",
        message: `A network policy of Snowflake does not let ${user} log in from ${from}.`,
        remedy: `Add ${from} to the policy's list: ALTER NETWORK POLICY <policy> SET ALLOWED_IP_LIST = ('${from}', …); \`pulumi up\` does it for the box's address.`,
      };
    },
  },
  {
    numbers: [394_302, 394_303],
    error: ({ user }) => ({
      code: "WAREHOUSE_AUTH_FAILED",
      message: `Snowflake refused ${user}, because this machine's clock is wrong by more than a minute.`,
      remedy: "Set the clock: timedatectl set-ntp true.",
    }),
  },
  {
    numbers: [390_144, 394_300, 394_301, 394_304, 394_305, 394_306, 394_307],
    pattern: /JWT token is invalid/i,
    error: keyRefused,
  },
  {
    numbers: [390_101],
    pattern: /user access disabled|user .*temporarily locked|user .*is locked/i,
    error: ({ failure, user, target }) => ({
      code: "WAREHOUSE_AUTH_FAILED",
      message: `Snowflake does not let ${user} log in at present: ${failure.message}`,
      remedy: `As an administrator: ALTER USER ${name(target)} SET DISABLED = FALSE, MINS_TO_UNLOCK = 0;`,
    }),
  },
  {
    numbers: [390_186, 390_189],
    pattern: /role .*(?:specified in the connect string|is not granted to this user)/i,
    error: ({ target, user }) => ({
      code: "WAREHOUSE_PERMISSION",
      message: `The role ${target.role} does not exist, or is not granted to ${user}.`,
      remedy: `GRANT ROLE ${identifier(target.role)} TO USER ${name(target)};`,
    }),
  },
  {
    numbers: [390_201],
    pattern: /requested (?:database|schema|warehouse) does not exist/i,
    error: ({ target }) => ({
      code: "WAREHOUSE_OBJECT_MISSING",
      message: `The database ${target.database} does not exist, or the role ${target.role} may not use it.`,
      remedy: `Run \`pulumi up\`; if it exists: GRANT USAGE ON DATABASE ${identifier(target.database)} TO ROLE ${identifier(target.role)};`,
    }),
  },
  {
    pattern: /free trial has ended|lack of payment|marked for decommission|account is suspended/i,
    error: ({ failure, target }) => ({
      code: "WAREHOUSE_QUOTA",
      message: `The Snowflake account ${target.account} is suspended: ${failure.message}`,
      remedy: "Add a payment method in Snowsight under Admin, Billing.",
    }),
  },
  {
    pattern: /WORKLOAD_IDENTITY requires a recognized Snowflake host/i,
    error: () => ({
      code: "CONFIG_INVALID",
      message: "NOVADRIVE_WAREHOUSE_URL asks for workload identity on a host that is not Snowflake's.",
      remedy: "Take host= out, or use a key pair: &user=<user>&private_key=<file>.",
    }),
  },
  {
    pattern: /could not load credentials|CredentialsProviderError|EC2 Metadata|169\.254\.169\.254|Missing credentials/i,
    error: ({ failure }) => ({
      code: "WAREHOUSE_AUTH_FAILED",
      message: `This machine has no AWS identity to show to Snowflake: ${failure.message}`,
      remedy:
        "Give the box an instance role and set AWS_REGION; elsewhere use a key pair: &user=<user>&private_key=<file> in NOVADRIVE_WAREHOUSE_URL.",
    }),
  },
];

/** Where no rule fits, by what is known of the kind of login. */
function fallback(context: LoginContext): Explanation | undefined {
  const { failure, target } = context;
  const { httpStatus, number, kind } = failure.facts;
  if (httpStatus === 403 || httpStatus === 404) {
    return {
      code: "WAREHOUSE_AUTH_FAILED",
      message: `Snowflake knows no account ${target.account} (it answered ${httpStatus}).`,
      remedy:
        "Correct the account in NOVADRIVE_WAREHOUSE_URL: <organization>-<account>, as Snowsight shows it under Account, View account details.",
    };
  }
  if (kind !== "OperationFailedError" || number === undefined || number < 390_000 || number >= 396_000)
    return undefined;
  return target.login.authenticator === "SNOWFLAKE_JWT" ? keyRefused(context) : identityRefused(context);
}

function keyRefused({ failure, target, user }: LoginContext): Explanation {
  const uuid = /\[([0-9a-f-]{36})\]/i.exec(failure.message)?.[1];
  const why = uuid === undefined ? "" : ` The reason: SELECT SYSTEM$GET_LOGIN_FAILURE_DETAILS('${uuid}');`;
  return {
    code: "WAREHOUSE_AUTH_FAILED",
    message: `Snowflake refused the key of ${user}: ${failure.message}`,
    remedy:
      `Set the public key that belongs to it: ALTER USER ${name(target)} SET RSA_PUBLIC_KEY = '<openssl rsa -in <file> -pubout, without its first and last line>'; ` +
      `see that the user is of this account, and that this machine's clock is right (timedatectl).${why}`,
  };
}

function identityRefused({ failure }: LoginContext): Explanation {
  return {
    code: "WAREHOUSE_AUTH_FAILED",
    message: `Snowflake refused this machine's AWS identity: ${failure.message}`,
    remedy:
      "Tell Snowflake the role's ARN (aws sts get-caller-identity shows it): ALTER USER <user> SET WORKLOAD_IDENTITY = (TYPE = AWS ARN = 'arn:aws:iam::<account>:role/<role>');",
  };
}

function name({ user }: SnowflakeTarget): string {
  return user === undefined ? "<user>" : identifier(user.toUpperCase());
}
