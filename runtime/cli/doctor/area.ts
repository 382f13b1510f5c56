/** One area of checks, within a time limit: what was found stays found, whatever happens to the rest. */
import type { Clock } from "../../core/clock.ts";
import { failed, failedBy, type Finding } from "../../core/finding.ts";

export type AreaName = "machine" | "project" | "source" | "warehouse";

export interface AreaContext {
  readonly report: (...findings: readonly Finding[]) => void;
  /** Aborted when the time is over, or the whole command is to stop. */
  readonly signal: AbortSignal;
}

export interface Area {
  readonly name: AreaName;
  /** Throws only what is nobody else's finding. */
  readonly check: (context: AreaContext) => Promise<void>;
}

export interface AreaFindings {
  readonly area: AreaName;
  readonly findings: readonly Finding[];
  /** Whether the checks were left behind, still running. */
  readonly abandoned: boolean;
}

interface AreaLimits {
  readonly seconds: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** @throws the reason of `signal` */
export async function checkArea({ name, check }: Area, { seconds, clock, signal }: AreaLimits): Promise<AreaFindings> {
  signal.throwIfAborted();
  const findings: Finding[] = [];
  const stop = new AbortController();
  const ended = new AbortController();
  const work = check({
    // What comes too late would change a list that has been printed.
    report: (...found) => void (stop.signal.aborted || findings.push(...found)),
    signal: AbortSignal.any([signal, stop.signal]),
  }).then(
    () => false,
    (thrown: unknown) => {
      if (!stop.signal.aborted) findings.push(failedBy(name, thrown));
      return false;
    },
  );
  const limit = clock.sleep(seconds * 1000, AbortSignal.any([signal, ended.signal])).then(
    () => true,
    () => true,
  );
  const abandoned = await Promise.race([work, limit]);
  stop.abort();
  ended.abort();
  signal.throwIfAborted();
  if (abandoned) {
    findings.push(
      failed(
        name,
        `The checks did not end within ${seconds} seconds${findings.length === 0 ? "" : "; what is listed was checked before"}.`,
        `See why the ${name} is slow to answer (network, load, locks), then run \`novadrive doctor\` again.`,
      ),
    );
  }
  return { area: name, findings, abandoned };
}
