/** What Snowflake or its driver threw, as an error for the user: one table from its numbers to our codes. */
import type { ErrorCodeName } from "../../core/error-codes.ts";
import { NovaError } from "../../core/errors.ts";
import { identifier } from "../../core/sql.ts";
import { driverFailure, type DriverFailure } from "./driver-failure.ts";
import { missingGrant, warehouseGrant } from "./grants.ts";
import { loginError } from "./login-error.ts";
import type { Statement } from "./statement.ts";
import { isUnreachable, unreachable } from "./unreachable.ts";
import { summaryOf, userRole, userSqlError } from "./user-sql-error.ts";
import type { SnowflakeTarget } from "./warehouse-url.ts";

export interface ErrorContext {
  readonly target: SnowflakeTarget;
  /** Undefined while logging in. */
  readonly statement?: Statement | undefined;
}

/**
 * Any NovaError stays as it is. `details` hold Snowflake's `number`, `sqlState` and `queryId`; of a refused value `column` as well, and
 * `file`, `line`, `character` and `row` where it stood in a file.
 */
export function snowflakeError(thrown: unknown, { target, statement }: ErrorContext): NovaError {
  if (thrown instanceof NovaError) return thrown;
  const failure = driverFailure(thrown);
  if (statement === undefined) return loginError(failure, target);
  if (failure.facts.kind !== "OperationFailedError" || isUnreachable(failure)) {
    return wayError(failure, target, statement);
  }
  const { number, sqlState, queryId } = failure.facts;
  const context = { failure, target, statement, summary: summaryOf(failure.message) };
  const found = RULES.find(
    ({ numbers, pattern }) => (number !== undefined && numbers?.includes(number)) || pattern?.test(failure.message),
  )?.error(context);
  if (found !== undefined) {
    const { code, message, remedy, details } = found;
    return new NovaError(code, message, { remedy, details: { number, sqlState, queryId, ...details }, cause: failure });
  }
  const role = userRole(statement);
  if (role !== undefined) return userSqlError(failure, statement, role);
  return ownError(context);
}

interface RuleContext extends Required<ErrorContext> {
  readonly statement: Statement;
  readonly failure: DriverFailure;
  readonly summary: string;
}

interface Explanation {
  readonly code: ErrorCodeName;
  readonly message: string;
  readonly remedy?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

interface Rule {
  readonly numbers?: readonly number[];
  readonly pattern?: RegExp;
  /** Undefined: the rule is not about this statement after all. */
  readonly error: (context: RuleContext) => Explanation | undefined;
}

/**
 * Numbers and texts as Snowflake's own documentation and public bug reports quote them: 000606, 000608 and 090073 (warehouse), 090105 (no
 * database), 002003 and 002043 (missing), 003001 (privileges), 000604, 000625 and 000630 (cancelled, locked, timed out), 100035 to 100144
 * (values), 100051 (division), 100090 (MERGE). That a deadlock names itself in the message is a guess; its number was not found anywhere.
 */
const RULES: readonly Rule[] = [
  {
    numbers: [90_073],
    pattern: /resource monitor .*exceeded|exceeded its quota|free trial has ended|lack of payment/i,
    error: ({ target, summary }) => ({
      code: "WAREHOUSE_QUOTA",
      message: `A limit of the account stops the warehouse ${target.warehouse}: ${summary}`,
      remedy:
        "Raise the monitor's quota (ALTER RESOURCE MONITOR <name> SET CREDIT_QUOTA = <credits>;), or wait for its next period.",
    }),
  },
  {
    numbers: [608],
    pattern: /^warehouse '.*' (?:is|was) suspended/i,
    error: ({ target: { warehouse, role } }) => ({
      code: "WAREHOUSE_SUSPENDED",
      message: `The warehouse ${warehouse} is suspended, and does not resume by itself.`,
      remedy: `ALTER WAREHOUSE ${identifier(warehouse)} SET AUTO_RESUME = TRUE; or resume it with ALTER WAREHOUSE ${identifier(warehouse)} RESUME; (the role ${role} needs OPERATE on it).`,
    }),
  },
  {
    numbers: [606],
    error: ({ target }) => ({
      code: "WAREHOUSE_OBJECT_MISSING",
      message: `The warehouse ${target.warehouse} does not exist, or the role ${target.role} may not use it.`,
      remedy: `Run \`pulumi up\`, which creates it; if it exists: ${warehouseGrant(target)}`,
    }),
  },
  {
    numbers: [90_105, 90_106],
    error: ({ target }) => ({
      code: "WAREHOUSE_OBJECT_MISSING",
      message: `The database ${target.database} does not exist, or the role ${target.role} may not use it.`,
      remedy: `Run \`pulumi up\`, which creates it; if it exists: GRANT USAGE ON DATABASE ${identifier(target.database)} TO ROLE ${identifier(target.role)};`,
    }),
  },
  {
    numbers: [3001],
    pattern: /insufficient privileges/i,
    error: ({ target, statement, summary, failure }) => {
      const [, kind = "object", name = ""] = /operate on (\w+) '([^']*)'/i.exec(failure.message) ?? [];
      return {
        code: "WAREHOUSE_PERMISSION",
        message: `The role ${target.role} lacks a privilege for ${doing(statement)}: ${summary}`,
        remedy: `Run \`pulumi up\`, or as the owner: ${missingGrant({ target, kind, name, sql: statement.sql })}`,
        details: { kind, object: name, role: target.role },
      };
    },
  },
  { numbers: [2003, 2043], error: missingObject },
  {
    numbers: [630],
    pattern: /reached its statement or warehouse timeout|STATEMENT_QUEUED_TIMEOUT/i,
    error: ({ statement, summary }) => ({
      code: "WAREHOUSE_TIMEOUT",
      message: `Snowflake stopped ${doing(statement)} after its time limit: ${summary}`,
    }),
  },
  {
    numbers: [625],
    pattern: /lock has not yet been released|deadlock|number of waiters for this lock/i,
    error: ({ statement, summary }) => ({
      code: "WAREHOUSE_CONFLICT",
      message: `${capital(doing(statement))} waited in vain for a lock: ${summary}`,
      remedy: "SHOW LOCKS IN ACCOUNT; names the transaction, SELECT SYSTEM$ABORT_TRANSACTION(<id>); ends it.",
    }),
  },
  {
    numbers: [604],
    error: ({ statement, summary }) => ({
      code: /time-?out/i.test(summary) ? "WAREHOUSE_TIMEOUT" : "WAREHOUSE_QUERY_FAILED",
      message: `${capital(doing(statement))} was cancelled in Snowflake: ${summary}`,
      remedy: "Look in the query history for who cancelled it; run again.",
    }),
  },
  {
    numbers: [100_090],
    error: ({ statement, summary }) =>
      userRole(statement) === undefined
        ? { code: "LOAD_KEY_DUPLICATE", message: `${capital(doing(statement))} met the same key twice: ${summary}` }
        : undefined,
  },
  { pattern: /./s, error: refusedValue },
];

/** 100035 … 100144 and their neighbours are about values; 100051 is a division by zero, a matter of the SQL. */
function refusedValue({ failure: { message, facts }, statement, summary }: RuleContext): Explanation | undefined {
  const { number = 0 } = facts;
  if (number < 100_000 || number > 100_999 || number === 100_051 || userRole(statement) !== undefined) return undefined;
  const file = /File '([^']*)', line (\d+), character (\d+)/.exec(message);
  const row = /Row (\d+)(?: starts at line \d+)?, column "[^\n]*?"\[(?:"((?:[^"]|"")*)":)?\d+\]/.exec(message);
  const column = row?.[2] ?? /failed on column (\S+) with error/.exec(message)?.[1];
  const [what = summary] = summary.split(" If you would like to continue loading");
  return {
    code: "WAREHOUSE_VALUE_INVALID",
    message: `Snowflake refused a value in ${doing(statement)}: ${what}`,
    details: {
      column: column?.replaceAll('""', '"'),
      file: file?.[1],
      line: file ? Number(file[2]) : undefined,
      character: file ? Number(file[3]) : undefined,
      row: row ? Number(row[1]) : undefined,
    },
  };
}

function missingObject({ failure, target, statement, summary }: RuleContext): Explanation | undefined {
  if (userRole(statement) !== undefined) return undefined;
  const [, kind = "Object", name = ""] = /(\w+) '([^']*)' does not exist/i.exec(failure.message) ?? [];
  const grant = missingGrant({ target, kind: kind === "Object" ? "table" : kind, name, sql: statement.sql });
  return {
    code: "WAREHOUSE_OBJECT_MISSING",
    message: `${capital(doing(statement))} needs what does not exist, or what the role ${target.role} may not see: ${summary}`,
    remedy: `Run \`pulumi up\`, which creates it; if it exists: ${grant}`,
    details: { kind, object: name, role: target.role },
  };
}

/** Not Snowflake's answer, but the driver's failure to get one, or to take a file to the stage. */
function wayError(failure: DriverFailure, target: SnowflakeTarget, statement: Statement): NovaError {
  const { systemCode, queryId } = failure.facts;
  if (/^\s*PUT\b/i.test(statement.sql)) {
    const local = /No file found|ENOENT|EACCES|ENOSPC|EMFILE/.exec(`${systemCode} ${failure.message}`)?.[0];
    if (local !== undefined) {
      return new NovaError(
        "STAGING_FAILED",
        `A staged file of ${statement.subject ?? "a table"} cannot be read: ${failure.message}`,
        {
          details: { queryId },
          cause: failure,
        },
      );
    }
    return new NovaError(
      "WAREHOUSE_UNREACHABLE",
      `A file of ${statement.subject ?? "a table"} did not reach Snowflake's stage: ${failure.message}`,
      {
        remedy: "See that this machine reaches the stage's storage (S3 of the account's region, port 443); run again.",
        details: { queryId },
        cause: failure,
      },
    );
  }
  if (isUnreachable(failure)) return unreachable(failure, target, doing(statement));
  return new NovaError("INTERNAL", `Snowflake's driver failed in ${doing(statement)}: ${failure.message}`, {
    details: { queryId, kind: failure.facts.kind },
    cause: failure,
  });
}

function ownError({ failure, statement, summary }: RuleContext): NovaError {
  const { number, sqlState, queryId } = failure.facts;
  return new NovaError("WAREHOUSE_QUERY_FAILED", `Snowflake refused ${doing(statement)}: ${summary}`, {
    details: { number, sqlState, queryId, step: statement.step },
    cause: failure,
  });
}

const STEPS: Readonly<Record<Statement["step"], string>> = {
  prepare: "the preparation",
  state: "reading the state",
  stage: "staging",
  load: "loading",
  check: "a check",
  publish: "publishing",
  clean: "cleaning up",
  diagnose: "a diagnosis",
  build: "building",
  model: "the model",
  hook: "a hook",
  query: "the query",
  verify: "the verification",
};

/** "loading of vendas" */
function doing({ step, subject }: Statement): string {
  return subject === undefined ? STEPS[step] : `${STEPS[step]} of ${subject}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
