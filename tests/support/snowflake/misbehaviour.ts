/** What goes wrong on demand. */

/** A statement as rules see it. */
export interface SeenStatement {
  readonly sql: string;
  readonly tag: QueryTag | undefined;
  /** Number of the statement since the server started, counted from 1; repeated requests do not count. */
  readonly number: number;
}

export interface QueryTag {
  readonly product?: string | undefined;
  readonly batch?: number | undefined;
  readonly step?: string | undefined;
  readonly subject?: string | undefined;
}

export type Fault =
  /** The connection breaks; the statement was not executed. */
  | { readonly fault: "drop-before" }
  /** The connection breaks after the statement took effect. */
  | { readonly fault: "drop-after" }
  | { readonly fault: "status"; readonly status: number }
  | { readonly fault: "delay"; readonly milliseconds: number }
  | { readonly fault: "error"; readonly code: string; readonly sqlState: string; readonly message: string }
  /** The driver renews it with the master token. */
  | { readonly fault: "session-expired" }
  /** Nothing renews the session. */
  | { readonly fault: "master-expired" }
  /** The session's transaction is rolled back, as by SYSTEM$ABORT_TRANSACTION. */
  | { readonly fault: "transaction-killed" }
  | { readonly fault: "stage-files-lost" }
  /** Sessions are gone, transactions rolled back, connections cut; before the statement is executed. */
  | { readonly fault: "restart" };

export type Rule = Fault & {
  /** The n-th statement from now, counted from 1; every one if neither this, `matches` nor `endpoint` is given. */
  readonly at?: number | undefined;
  readonly matches?: ((statement: SeenStatement) => boolean) | undefined;
  /** A path of the protocol instead of a statement, e.g. `/session/v1/login-request`. */
  readonly endpoint?: string | undefined;
  /** How often it happens, repeated requests included; Infinity for ever. The default is once. */
  readonly times?: number | undefined;
};

interface ActiveRule {
  readonly rule: Rule;
  left: number;
  /** Statements seen before it came. */
  readonly after: number;
  hits: number;
}

export class Misbehaviour {
  readonly #rules: ActiveRule[] = [];

  add(rule: Rule, after: number): { remove(): void; readonly hits: number } {
    const active: ActiveRule = { rule, left: rule.times ?? 1, after, hits: 0 };
    this.#rules.push(active);
    return {
      remove: () => {
        active.left = 0;
      },
      get hits() {
        return active.hits;
      },
    };
  }

  clear(): void {
    this.#rules.length = 0;
  }

  forStatement(statement: SeenStatement): Fault | undefined {
    return this.#take(({ rule, after }) => {
      if (rule.endpoint !== undefined) return false;
      if (rule.at !== undefined && statement.number !== after + rule.at) return false;
      return rule.matches?.(statement) ?? true;
    });
  }

  forEndpoint(path: string): Fault | undefined {
    return this.#take(({ rule }) => rule.endpoint === path);
  }

  #take(applies: (active: ActiveRule) => boolean): Fault | undefined {
    const active = this.#rules.find((one) => one.left > 0 && applies(one));
    if (!active) return undefined;
    active.left--;
    active.hits++;
    return active.rule;
  }
}
