import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { transition, type RunEvent, type RunState } from "../../../runtime/schedule/run-state.ts";

const EVENTS = ["tick", "request", "finished", "stop"] as const satisfies readonly RunEvent[];

describe("the run state", () => {
  it("never starts a batch while one runs, nor after stop, over any sequence of events", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 30 }), (events) => {
        let state: RunState = "idle";
        let running = false;
        let stopped = false;
        for (const event of events) {
          // A batch can only finish while one runs.
          if (event === "finished" && !running) continue;
          const { next, action } = transition(state, event);
          if (action === "start") {
            expect(running || stopped).toBe(false);
            running = true;
          }
          if (action === "cancel") expect(running).toBe(true);
          if (event === "finished") running = false;
          if (event === "stop") stopped = true;
          expect(next === "running" || next === "stopping").toBe(running);
          state = next;
        }
      }),
    );
  });

  it("tells the one who asks during a batch, and passes over a tick", () => {
    expect(transition("running", "request").action).toBe("refuse");
    expect(transition("running", "tick").action).toBe("skip");
  });
});
