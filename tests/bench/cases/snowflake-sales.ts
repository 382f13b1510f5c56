/** The cases on the sales once more, into the server that stands in for Snowflake. */
import type { BenchCase, BenchContext } from "../context.ts";
import { Sales, type SalesStep } from "./sales.ts";
import { startSnowflake } from "./staging.ts";

export class SnowflakeSales implements BenchCase {
  readonly #context: BenchContext;
  readonly #sales: Sales;

  constructor(context: BenchContext, steps: ReadonlySet<SalesStep>) {
    this.#context = context;
    this.#sales = new Sales({ context, steps, openWarehouse: (place) => startSnowflake(context, place) });
  }

  async prepare(): Promise<void> {
    await this.#sales.prepare();
  }

  async run(place: string): Promise<void> {
    this.#context.say("  into the stand-in for Snowflake:");
    await this.#sales.run(place);
  }

  report() {
    return {
      snowflake: {
        against: "a stand-in on this machine, whose own time is in the seconds",
        ...this.#sales.report(),
      },
    };
  }
}
