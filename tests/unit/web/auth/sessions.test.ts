import { PassThrough } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IDLE_MS, LONGEST_MS, Sessions } from "../../../../runtime/web/auth/sessions.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

describe("sessions", () => {
  it("have ids that nobody can guess, and that are kept nowhere", () => {
    using sessions = new Sessions(new FakeClock());
    const ids = Array.from({ length: 20 }, () => sessions.begin());
    expect(new Set(ids).size).toBe(20);
    for (const id of ids) {
      expect(id).toMatch(/^[\w-]{43}$/);
      expect(sessions.use(id)?.key).not.toBe(id);
    }
    expect(sessions.use("")).toBeUndefined();
    expect(sessions.use(sessions.use(ids[0] ?? "")?.key ?? "")).toBeUndefined();
  });

  it("are bounded: the oldest gives way", () => {
    using sessions = new Sessions(new FakeClock());
    const first = sessions.begin();
    const others = Array.from({ length: 32 }, () => sessions.begin());
    expect(sessions.count).toBe(32);
    expect(sessions.use(first)).toBeUndefined();
    for (const id of others) expect(sessions.use(id)).toBeDefined();
  });

  it("that are over are forgotten when another begins", async () => {
    const clock = new FakeClock();
    using sessions = new Sessions(clock);
    for (let count = 0; count < 10; count++) sessions.begin();
    await clock.advance(IDLE_MS);
    sessions.begin();
    expect(sessions.count).toBe(1);
  });

  it("let nothing wait for a stream that has closed", async () => {
    const clock = new FakeClock();
    using sessions = new Sessions(clock);
    const session = sessions.use(sessions.begin());
    if (!session) throw new Error("No session");
    const stream = new PassThrough();
    sessions.attach(session, stream);
    expect(clock.nextWake).toBe(LONGEST_MS);
    stream.destroy();
    await clock.advance(0);
    expect(clock.nextWake).toBeUndefined();
  });

  it("that have ended take no stream any more", async () => {
    using sessions = new Sessions(new FakeClock());
    const session = sessions.use(sessions.begin());
    if (!session) throw new Error("No session");
    sessions.end(session);
    const stream = new PassThrough();
    sessions.attach(session, stream);
    expect(stream.writableEnded).toBe(true);
  });

  it("last as long as their rule says, whatever is done with them", async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("wait" as const), minutes: fc.integer({ min: 0, max: 90 }) }),
      fc.record({ do: fc.constantFrom("use", "open", "close", "end") }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const clock = new FakeClock();
        using sessions = new Sessions(clock);
        const id = sessions.begin();
        // What the rule says, told in another way.
        let [sinceBegin, sinceUse, ended] = [0, 0, false];
        const streams: PassThrough[] = [];
        for (const taken of steps) {
          const over = ended || sinceBegin >= LONGEST_MS || (streams.length === 0 && sinceUse >= IDLE_MS);
          if (taken.do === "wait" && "minutes" in taken) {
            await clock.advance(taken.minutes * 60_000);
            sinceBegin += taken.minutes * 60_000;
            sinceUse += taken.minutes * 60_000;
            if (sinceBegin >= LONGEST_MS) streams.length = 0;
            continue;
          }
          if (taken.do === "close") {
            const stream = streams.pop();
            if (!stream) continue;
            stream.destroy();
            await clock.advance(0);
            sinceUse = 0;
            continue;
          }
          const session = sessions.use(id);
          expect(session !== undefined).toBe(!over);
          if (!session) {
            ended = true;
            continue;
          }
          sinceUse = 0;
          if (taken.do === "open") {
            const stream = new PassThrough();
            sessions.attach(session, stream.resume());
            streams.push(stream);
          }
          if (taken.do === "end") {
            sessions.end(session);
            for (const stream of streams) expect(stream.writableEnded).toBe(true);
            [ended, streams.length] = [true, 0];
          }
        }
      }),
    );
  });
});
