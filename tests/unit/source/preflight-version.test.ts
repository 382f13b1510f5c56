import { expect, it } from "vitest";
import { requireVersion } from "../../../runtime/source/preflight.ts";

it("servers before version 14 are refused, with what they run and what helps", () => {
  expect(() => requireVersion(139_999, "13.22 (Debian)", "db:5432/shop")).toThrow(
    expect.objectContaining({
      code: "SOURCE_VERSION_UNSUPPORTED",
      message: expect.stringMatching(/db:5432\/shop runs PostgreSQL 13\.22 .*version 14 is the oldest/),
      remedy: expect.stringContaining("Upgrade the source"),
    }),
  );
  expect(() => requireVersion(140_000, "14.0", "db:5432/shop")).not.toThrow();
});
