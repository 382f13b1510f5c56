/** A process of its own for quiet-driver.test.ts: logs in, runs a statement, fails in several ways, and must leave no trace. */
import { systemClock } from "../../../../runtime/core/clock.ts";
import { openSessions } from "../../../../runtime/warehouse/snowflake/sessions.ts";
import { UsageMeter } from "../../../../runtime/warehouse/snowflake/usage.ts";
import { parseSnowflakeUrl } from "../../../../runtime/warehouse/snowflake/warehouse-url.ts";

const target = parseSnowflakeUrl(process.argv[2] ?? "");
const sessions = openSessions({ target, warn: () => undefined, usage: new UsageMeter(systemClock) });
const run = (sql: string): Promise<unknown> =>
  sessions.use((session) => session.run({ sql, step: "state", metered: true }));
await run("select 1");
await run("select wrong").catch(() => undefined);
await run("put 'file:///nowhere/x' @s").catch(() => undefined);
await sessions[Symbol.asyncDispose]();
