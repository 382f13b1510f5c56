/** What `doctor` checks of Snowflake: login, clock, schemas, stage tables, warehouse, privileges. Nothing of it resumes the warehouse. */
import type { Clock } from "../../core/clock.ts";
import { clockFinding, measureClockSkew } from "../../core/clock-skew.ts";
import { failedBy, type Finding } from "../../core/finding.ts";
import type { Manifest, ManifestTable } from "../../manifest/manifest.ts";
import {
  loginFinding,
  monitorFinding,
  schemaFindings,
  stageFindings,
  warehouseFindings,
  type Monitor,
  type VirtualWarehouse,
} from "./diagnose-findings.ts";
import { privilegeFindings, type Need } from "./privileges.ts";
import { isMissing } from "./missing.ts";
import { schemaNeeds, tableNeed, warehouseNeed } from "./needs.ts";
import { readPrivileges } from "./read-privileges.ts";
import { named } from "./rows.ts";
import { describeTable, readIdentity, showResourceMonitors, showSchemas, showWarehouse } from "./sql/diagnose.ts";
import type { LiveColumn } from "./stage-check.ts";
import type { SnowflakeSession, SnowflakeSessions } from "./statement.ts";
import type { SnowflakeTarget } from "./warehouse-url.ts";

export interface DiagnoseOptions {
  readonly sessions: SnowflakeSessions;
  readonly target: Pick<SnowflakeTarget, "database" | "warehouse" | "role">;
  readonly manifest: Manifest;
  readonly clock: Clock;
  /** Where models are built. */
  readonly modelSchemas: readonly string[];
}

/** https://docs.snowflake.com/en/user-guide/key-pair-auth-troubleshooting */
const CLOCK = { whose: "Snowflake", effect: "from a minute on, logins by key pair are refused" };

/** Does not throw. */
export async function diagnose({ sessions, ...checks }: DiagnoseOptions): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  try {
    await sessions.use((session) => new Diagnosis(session, checks, findings).run());
  } catch (thrown) {
    findings.push(failedBy("login", thrown));
  }
  return findings;
}

class Diagnosis {
  readonly #session: SnowflakeSession;
  readonly #checks: Omit<DiagnoseOptions, "sessions">;
  readonly #findings: Finding[];

  constructor(session: SnowflakeSession, checks: Omit<DiagnoseOptions, "sessions">, findings: Finding[]) {
    this.#session = session;
    this.#checks = checks;
    this.#findings = findings;
  }

  /** @throws what the login throws; everything else becomes a finding */
  async run(): Promise<void> {
    const { target } = this.#checks;
    const identity = await this.#identify();
    this.#findings.push(loginFinding(identity, target));
    await this.#attempt("clock", () => this.#checkClock());
    const role = identity.role ?? target.role;
    const needs: Need[] = [{ kind: "DATABASE", path: [target.database], privileges: ["USAGE"] }];
    needs.push(...(await this.#checkSchemas(role)));
    needs.push(...(await this.#checkWarehouse(role)));
    await this.#attempt("privileges", async () => {
      const { secondaryRoles } = identity;
      const held = await readPrivileges({
        session: this.#session,
        role,
        secondaryRoles,
        database: target.database,
        needs,
      });
      this.#findings.push(...privilegeFindings(needs, held, role));
    });
  }

  async #attempt<T>(check: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (thrown) {
      this.#findings.push(failedBy(check, thrown));
      return undefined;
    }
  }

  async #identify() {
    const [row = []] = (await this.#session.run(readIdentity())).rows;
    const [user = null, role = null, secondaryRoles = null, organization = null, account = null, ...rest] = row;
    const [region = null, database = null, version = null, now = null] = rest;
    return { user, role, secondaryRoles, organization, account, region, database, version, now };
  }

  /** Asked a second time: the first answer has waited for the login. */
  async #checkClock(): Promise<void> {
    const skew = await measureClockSkew(this.#checks.clock, async () => {
      const { now } = await this.#identify();
      return Date.parse((now ?? "").replace(" ", "T").replace(/\+00$/, "Z"));
    });
    this.#findings.push(clockFinding(skew, CLOCK));
  }

  /** Schemas, and the stage tables in them. @returns what a batch needs on those that are there */
  async #checkSchemas(role: string): Promise<readonly Need[]> {
    const { target, manifest, modelSchemas } = this.#checks;
    const wanted = schemaNeeds(target.database, manifest, modelSchemas);
    const shown = await this.#attempt(`database ${target.database}`, async () => {
      const schemas = named(await this.#session.run(showSchemas(target.database)), "name");
      return new Set(schemas.map(({ name }) => name));
    });
    // Without the list, each of them is asked as if it were there.
    const isThere = (schema: string): boolean => shown?.has(schema.toUpperCase()) ?? true;
    if (shown) this.#findings.push(...schemaFindings(wanted, shown, role));
    const needs = wanted.filter(({ path }) => isThere(path[1] ?? ""));
    for (const table of manifest.tables.filter(({ schema }) => isThere(schema))) {
      const need = tableNeed(target.database, table);
      const exists = await this.#attempt(`stage ${table.name}`, async () => {
        const live = await this.#describe(table);
        this.#findings.push(...stageFindings({ table, live, need, role }));
        return live !== undefined;
      });
      // What is missing cannot be granted on; that has been said.
      if (exists !== false) needs.push(need);
    }
    return needs;
  }

  async #describe(table: ManifestTable): Promise<readonly LiveColumn[] | undefined> {
    try {
      const columns = named(await this.#session.run(describeTable(table)), "name", "type", "null?");
      return columns.map((column) => ({
        name: column.name ?? "",
        type: column.type ?? "",
        nullable: column["null?"] === "Y",
      }));
    } catch (thrown) {
      if (isMissing(thrown)) return undefined;
      throw thrown;
    }
  }

  async #checkWarehouse(role: string): Promise<readonly Need[]> {
    const name = this.#checks.target.warehouse;
    return (
      (await this.#attempt(`warehouse ${name}`, async () => {
        const warehouse = await this.#findWarehouse(name);
        this.#findings.push(...warehouseFindings({ name, warehouse, role }));
        if (!warehouse) return [];
        const { monitor } = warehouse;
        if (monitor !== undefined) {
          await this.#attempt(`resource monitor ${monitor}`, async () => {
            this.#findings.push(monitorFinding(monitor, await this.#findMonitor(monitor)));
          });
        }
        return [warehouseNeed(name, warehouse.autoResume)];
      })) ?? []
    );
  }

  async #findWarehouse(wanted: string): Promise<VirtualWarehouse | undefined> {
    const rows = named(
      await this.#session.run(showWarehouse(wanted)),
      "name",
      "state",
      "size",
      "auto_suspend",
      "auto_resume",
      "resource_monitor",
    );
    const row = rows.find(({ name }) => name === wanted);
    if (!row) return undefined;
    const monitor = row.resource_monitor ?? "null";
    return {
      state: row.state ?? "",
      size: row.size ?? "",
      autoSuspendSeconds: Number(row.auto_suspend ?? 0),
      autoResume: row.auto_resume === "true",
      // The word, where there is none.
      monitor: monitor === "null" || monitor === "" ? undefined : monitor,
    };
  }

  async #findMonitor(wanted: string): Promise<Monitor | undefined> {
    const shown = await this.#session.run(showResourceMonitors(wanted));
    const row = named(shown, "name", "credit_quota", "used_credits").find(({ name }) => name === wanted);
    if (!row || row.credit_quota === null) return undefined;
    return { quota: Number(row.credit_quota), used: Number(row.used_credits ?? 0) };
  }
}
