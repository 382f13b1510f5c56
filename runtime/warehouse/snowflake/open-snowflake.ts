/** Opens Snowflake as the warehouse; the driver is loaded, and logged in with, only when the first statement is sent. */
import { systemClock, type Clock } from "../../core/clock.ts";
import type { Warehouse } from "../warehouse.ts";
import { openSessions } from "./sessions.ts";
import { SnowflakeWarehouse } from "./snowflake-warehouse.ts";
import { UsageMeter } from "./usage.ts";
import type { SnowflakeTarget } from "./warehouse-url.ts";

export interface OpenSnowflakeOptions {
  readonly target: SnowflakeTarget;
  /** Takes what the user should know though nothing failed. */
  readonly warn?: ((message: string) => void) | undefined;
  readonly clock?: Clock | undefined;
}

/** Sessions, and so statements at the same time: an X-Small warehouse runs eight before it queues, and each PUT needs one. */
const PARALLEL = 4;

export function openSnowflake({
  target,
  warn = () => undefined,
  clock = systemClock,
}: OpenSnowflakeOptions): Warehouse {
  const usage = new UsageMeter(clock);
  const sessions = openSessions({ target, warn, usage, parallel: PARALLEL, clock });
  return new SnowflakeWarehouse({ target, sessions, usage, clock, parallel: PARALLEL, warn });
}
