/** The process's log: one JSON document a line on standard error, so that standard output stays free for results. */
import { destination, pino, type Logger } from "pino";
import { redact, redactAll } from "./redact.ts";

export type Log = Logger;

export interface LogOptions {
  readonly level: "debug" | "info" | "warn" | "error" | "silent";
  /** Plain lines for a person instead of JSON. */
  readonly plain: boolean;
}

export function createLog({ level, plain }: LogOptions): Log {
  const stream = destination({ fd: 2, sync: true });
  const write = plain
    ? (line: string) => stream.write(plainLine(line))
    : (line: string) => stream.write(`${JSON.stringify(redactAll(JSON.parse(line)))}\n`);
  return pino({ level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` }, { write });
}

const LEVELS: Readonly<Record<number, string>> = { 20: "debug", 30: "info", 40: "WARN", 50: "ERROR" };

/** `12:31:07 info  batch 7: success in 1.9 s` */
function plainLine(line: string): string {
  const { time, level, msg }: { time: string; level: number; msg: string } = JSON.parse(line);
  return redact(`${time.slice(11, 19)} ${(LEVELS[level] ?? "").padEnd(5)} ${msg}\n`);
}
