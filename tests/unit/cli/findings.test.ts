import { expect, it } from "vitest";
import { failed, ok, warning } from "../../../runtime/core/finding.ts";
import type { AreaFindings } from "../../../runtime/cli/doctor/area.ts";
import { describeArea, describeTotal, doctorResult } from "../../../runtime/cli/output/findings.ts";
import type { Style } from "../../../runtime/cli/output/style.ts";

const same = (text: string) => text;
const PLAIN: Style = { good: same, bad: same, warn: same, dim: same, strong: same };

const AREA: AreaFindings = {
  area: "source",
  abandoned: false,
  findings: [
    ok("connection", "PostgreSQL 18."),
    warning("clock", "7 s ahead.", "Set it."),
    failed("table sales", "It is not there:\nnor there.", "Create it.\nOr not."),
  ],
};

it("shows a line for each finding, and what to do under it", () => {
  expect(describeArea(AREA, PLAIN)).toBe(`Source
  ✓ connection   PostgreSQL 18.
  ! clock        7 s ahead.
      → Set it.
  ✗ table sales  It is not there:
                 nor there.
      → Create it.
        Or not.
`);
});

it("counts", () => {
  expect(describeTotal([AREA, { ...AREA, findings: [ok("a", "Good.")] }], PLAIN)).toBe("1 failed, 1 warning, 2 ok");
  expect(describeTotal([{ ...AREA, findings: [ok("a", "Good.")] }], PLAIN)).toBe("1 ok");
});

it("gives the document that programs read: with remedies only where there are any", () => {
  expect(doctorResult([AREA])).toEqual({
    ok: false,
    checks: [
      { area: "source", check: "connection", status: "ok", detail: "PostgreSQL 18." },
      { area: "source", check: "clock", status: "warning", detail: "7 s ahead.", remedy: "Set it." },
      {
        area: "source",
        check: "table sales",
        status: "failed",
        detail: "It is not there:\nnor there.",
        remedy: "Create it.\nOr not.",
      },
    ],
  });
});

it("is content with warnings", () => {
  expect(doctorResult([{ ...AREA, findings: AREA.findings.slice(0, 2) }]).ok).toBe(true);
});

it("shows no password, wherever it comes from", () => {
  const area: AreaFindings = {
    ...AREA,
    findings: [failed("x", "postgres://me:s3cret@db/x broke", "Use postgres://me:s3cret@db/y")],
  };
  expect(describeArea(area, PLAIN)).not.toContain("s3cret");
  expect(JSON.stringify(doctorResult([area]))).not.toContain("s3cret");
});
