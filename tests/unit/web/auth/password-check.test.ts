import { expect, it, vi } from "vitest";
import * as hashes from "../../../../runtime/config/password-hash.ts";
import { PasswordCheck } from "../../../../runtime/web/auth/password-check.ts";
import { PASSWORD, testPasswordHash } from "../../../support/login.ts";

vi.mock(import("../../../../runtime/config/password-hash.ts"), { spy: true });

it("checks one at a time, and lets only a few wait", async () => {
  const hash = await testPasswordHash();
  let [running, most] = [0, 0];
  const real = vi.mocked(hashes.matchesPassword).getMockImplementation();
  expect(real).toBeUndefined();
  const check = new PasswordCheck(hash);
  const original = await vi.importActual<typeof hashes>("../../../../runtime/config/password-hash.ts");
  vi.mocked(hashes.matchesPassword).mockImplementation(async (...given) => {
    most = Math.max(most, ++running);
    const right = await original.matchesPassword(...given);
    running--;
    return right;
  });
  const outcomes = await Promise.all(Array.from({ length: 12 }, () => check.check(PASSWORD)));
  expect(most).toBe(1);
  expect(outcomes.filter((outcome) => outcome === "busy").length).toBeGreaterThan(5);
  expect(outcomes.filter((outcome) => outcome === "right").length).toBeGreaterThan(3);
  expect(await check.check(PASSWORD)).toBe("right");
});

it("does not hash what is longer than any password", async () => {
  const check = new PasswordCheck(await testPasswordHash());
  expect(await check.check("x".repeat(100_000))).toBe("wrong");
  expect(vi.mocked(hashes.matchesPassword)).not.toHaveBeenCalled();
});
