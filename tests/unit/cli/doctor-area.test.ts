import { expect, it } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import { ok } from "../../../runtime/core/finding.ts";
import { checkArea, type Area } from "../../../runtime/cli/doctor/area.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

const never = new AbortController().signal;

function start(check: Area["check"], signal = never) {
  const clock = new FakeClock();
  return { clock, result: checkArea({ name: "source", check }, { seconds: 30, clock, signal }) };
}

it("gives what was reported, in order", async () => {
  const { result, clock } = start(async ({ report }) => {
    report(ok("a", "One."), ok("b", "Two."));
    report(ok("c", "Three."));
  });
  const { area, findings, abandoned } = await result;
  expect(area).toBe("source");
  expect(findings.map(({ check }) => check)).toEqual(["a", "b", "c"]);
  expect(abandoned).toBe(false);
  expect(clock.nextWake).toBeUndefined();
});

it("makes a failed finding of what is thrown, and keeps what was found before", async () => {
  const { result } = start(async ({ report }) => {
    report(ok("a", "One."));
    throw new NovaError("SOURCE_UNREACHABLE", "It is gone: postgres://me:secret@db/x");
  });
  const { findings } = await result;
  expect(findings).toHaveLength(2);
  expect(findings[1]).toMatchObject({
    check: "source",
    status: "failed",
    detail: "It is gone: postgres://me:***@db/x",
  });
  expect(findings[1]?.remedy).toContain("firewall");
});

it("leaves work behind when its time is over, says so, and takes nothing from it any more", async () => {
  let late: (() => void) | undefined;
  let aborted = false;
  const { result, clock } = start(async ({ report, signal }) => {
    report(ok("a", "One."));
    signal.addEventListener("abort", () => (aborted = true));
    await new Promise<void>((resolve) => (late = resolve));
    report(ok("b", "Too late."));
  });
  await settle();
  await clock.advance(30_000);
  const { findings, abandoned } = await result;
  expect(abandoned).toBe(true);
  expect(aborted).toBe(true);
  late?.();
  await settle();
  expect(findings.map(({ check, status }) => [check, status])).toEqual([
    ["a", "ok"],
    ["source", "failed"],
  ]);
  expect(findings[1]?.detail).toContain("30 seconds");
});

it("ends at once when the command is to stop, whatever the work does", async () => {
  const controller = new AbortController();
  const { result } = start(() => new Promise(() => undefined), controller.signal);
  await settle();
  controller.abort(new Error("stop"));
  await expect(result).rejects.toThrow("stop");
});
