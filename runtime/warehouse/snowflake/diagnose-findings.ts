/** From what Snowflake says of itself to findings. Pure functions. */
import { failed, ok, warning, type Finding } from "../../core/finding.ts";
import { identifier } from "../../core/sql.ts";
import type { ManifestTable } from "../../manifest/manifest.ts";
import { grantStatement, type Need } from "./privileges.ts";
import { compareStageTable, leftColumns, type LiveColumn } from "./stage-check.ts";
import type { SnowflakeTarget } from "./warehouse-url.ts";

export interface Identity {
  readonly user: string | null;
  readonly role: string | null;
  readonly organization: string | null;
  readonly account: string | null;
  readonly region: string | null;
  /** Null if the session has none, because it does not exist or may not be used. */
  readonly database: string | null;
  readonly version: string | null;
}

export interface VirtualWarehouse {
  readonly state: string;
  readonly size: string;
  /** 0 for never. */
  readonly autoSuspendSeconds: number;
  readonly autoResume: boolean;
  readonly monitor: string | undefined;
}

/** Credits of the current interval. */
export interface Monitor {
  readonly quota: number;
  readonly used: number;
}

/** Seconds; a warehouse is billed for each of them after the last statement. */
const LONG_SUSPEND = 300;
const SHORTEST_BILLED = 60;
/** Of its quota. */
const NEARLY_USED = 0.9;

export function loginFinding(identity: Identity, target: Pick<SnowflakeTarget, "role">): Finding {
  const { user, role, organization, account, region, version } = identity;
  const place = `account ${organization ?? "?"}-${account ?? "?"} in ${region ?? "?"}, Snowflake ${version ?? "?"}`;
  if (role === target.role) return ok("login", `${user ?? "?"} as ${role}; ${place}.`);
  return failed(
    "login",
    `${user ?? "?"} has the role ${role ?? "(none)"} instead of ${target.role}; ${place}.`,
    `GRANT ROLE ${identifier(target.role)} TO USER ${identifier(user ?? "?")};`,
  );
}

/** @param shown those that the role sees */
export function schemaFindings(
  wanted: readonly Need[],
  shown: ReadonlySet<string | null>,
  role: string,
): readonly Finding[] {
  const missing = wanted.filter(({ path }) => !shown.has(path[1] ?? ""));
  if (missing.length === 0) {
    return [ok("schemas", `${wanted.map(({ path }) => path.at(-1)).join(", ")}: all there, and shown to ${role}.`)];
  }
  return missing.map((need) =>
    failed(
      `schema ${need.path.at(-1) ?? ""}`,
      `It does not exist in ${need.path[0] ?? ""}, or the role ${role} has no privilege on it; Snowflake does not tell these apart.`,
      `If it is missing, run \`pulumi up\`, which makes it; else ${grantStatement(need, role)}`,
    ),
  );
}

export interface StageFacts {
  readonly table: ManifestTable;
  /** Undefined if there is none, or none that the role may see. */
  readonly live: readonly LiveColumn[] | undefined;
  readonly need: Need;
  readonly role: string;
}

export function stageFindings({ table, live, need, role }: StageFacts): readonly Finding[] {
  const check = `stage ${table.name}`;
  if (!live) {
    return [
      failed(
        check,
        `${need.path.join(".")} does not exist, or the role ${role} has no privilege on it; Snowflake does not tell these apart.`,
        `If it is missing, run \`pulumi up\`, which makes it; else ${grantStatement(need, role)}`,
      ),
    ];
  }
  const { differences, extra } = compareStageTable(table, live);
  const findings = differences.map((difference) =>
    failed(check, `${difference}.`, "Run `pulumi up`, which brings the table in line with the manifest."),
  );
  findings.push(...leftColumns(table, extra).map(({ message, remedy }) => warning(check, message, remedy)));
  return findings.length > 0 ? findings : [ok(check, "Agrees with the manifest.")];
}

export interface WarehouseFacts {
  readonly name: string;
  /** Undefined if there is none, or none that the role may see. */
  readonly warehouse: VirtualWarehouse | undefined;
  readonly role: string;
}

export function warehouseFindings({ name, warehouse, role }: WarehouseFacts): readonly Finding[] {
  const check = `warehouse ${name}`;
  if (!warehouse) {
    return [
      failed(
        check,
        `It does not exist, or the role ${role} has no privilege on it; Snowflake does not tell these apart.`,
        `GRANT USAGE ON WAREHOUSE ${identifier(name)} TO ROLE ${identifier(role)}; or correct warehouse= in NOVADRIVE_WAREHOUSE_URL.`,
      ),
    ];
  }
  const { state, size, autoSuspendSeconds, autoResume } = warehouse;
  const alter = (setting: string): string => `ALTER WAREHOUSE ${identifier(name)} SET ${setting};`;
  const findings: Finding[] = [];
  if (!autoResume) {
    const resume = alter("AUTO_RESUME = TRUE");
    findings.push(
      isSuspended(state)
        ? failed(check, "It is suspended and does not resume by itself, so a batch cannot run.", resume)
        : warning(check, "It does not resume by itself: once it is suspended, batches fail.", resume),
    );
  }
  if (autoSuspendSeconds === 0 || autoSuspendSeconds > LONG_SUSPEND) {
    const when =
      autoSuspendSeconds === 0
        ? "It never suspends itself, and costs credits day and night."
        : `It suspends itself only after ${autoSuspendSeconds} s without work, which are billed after each batch.`;
    findings.push(warning(check, when, alter(`AUTO_SUSPEND = ${SHORTEST_BILLED}`)));
  }
  if (findings.length > 0) return findings;
  return [ok(check, `${size}, ${state.toLowerCase()}; suspends after ${autoSuspendSeconds} s, resumes by itself.`)];
}

function isSuspended(state: string): boolean {
  return state === "SUSPENDED" || state === "SUSPENDING";
}

/** @param monitor undefined if it has no quota, or the role may not see it */
export function monitorFinding(name: string, monitor: Monitor | undefined): Finding {
  const check = `resource monitor ${name}`;
  if (!monitor) return ok(check, "It watches the warehouse; its quota is not shown to this role.");
  const { quota, used } = monitor;
  const detail = `${used} of ${quota} credits are used in this interval`;
  if (used < quota * NEARLY_USED) return ok(check, `${detail}.`);
  return warning(
    check,
    `${detail}; at its limit it may suspend the warehouse, and batches fail.`,
    `ALTER RESOURCE MONITOR ${identifier(name)} SET CREDIT_QUOTA = <more>; or wait for the next interval.`,
  );
}
