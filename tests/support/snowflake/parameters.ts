/** Session parameters with Snowflake's defaults: https://docs.snowflake.com/en/sql-reference/parameters. */

const DEFAULTS: Readonly<Record<string, string | number | boolean>> = {
  AUTOCOMMIT: true,
  BINARY_INPUT_FORMAT: "HEX",
  BINARY_OUTPUT_FORMAT: "HEX",
  CLIENT_SESSION_KEEP_ALIVE: false,
  CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY: 3600,
  DATE_OUTPUT_FORMAT: "YYYY-MM-DD",
  ERROR_ON_NONDETERMINISTIC_MERGE: true,
  JS_TREAT_INTEGER_AS_BIGINT: false,
  LOCK_TIMEOUT: 43_200,
  QUERY_TAG: "",
  STATEMENT_TIMEOUT_IN_SECONDS: 172_800,
  TIMESTAMP_LTZ_OUTPUT_FORMAT: "",
  TIMESTAMP_NTZ_OUTPUT_FORMAT: "YYYY-MM-DD HH24:MI:SS.FF3",
  TIMESTAMP_OUTPUT_FORMAT: "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM",
  TIMESTAMP_TZ_OUTPUT_FORMAT: "",
  TIMEZONE: "America/Los_Angeles",
  TIME_OUTPUT_FORMAT: "HH24:MI:SS",
};

export class SessionParameters {
  readonly #values: Map<string, unknown>;

  constructor(values: Readonly<Record<string, unknown>> = {}, base?: SessionParameters) {
    this.#values = new Map(base ? base.#values : Object.entries(DEFAULTS));
    for (const [name, value] of Object.entries(values)) this.set(name, value);
  }

  set(name: string, value: unknown): void {
    this.#values.set(name.toUpperCase(), value);
  }

  text(name: string): string {
    const value = this.#values.get(name) ?? "";
    return typeof value === "string" ? value : JSON.stringify(value);
  }

  number(name: string): number {
    return Number(this.#values.get(name));
  }

  isOn(name: string): boolean {
    return this.text(name).toLowerCase() === "true";
  }

  /** As `data.parameters` has them. */
  list(): readonly { readonly name: string; readonly value: unknown }[] {
    return [...this.#values].map(([name, value]) => ({ name, value }));
  }
}
