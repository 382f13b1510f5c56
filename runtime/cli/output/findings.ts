/** What `doctor` found, for a person or as JSON. */
import type { Finding } from "../../core/finding.ts";
import { redact } from "../../core/redact.ts";
import type { AreaFindings, AreaName } from "../doctor/area.ts";
import type { Style } from "./style.ts";

const TITLES: Readonly<Record<AreaName, string>> = {
  machine: "This machine",
  project: "Project",
  source: "Source",
  warehouse: "Warehouse",
};

/** Longer names push their line to the right, rather than all of them. */
const WIDEST_CHECK = 24;

/** One area: a title, and a line for each finding, with what to do under it. */
export function describeArea({ area, findings }: AreaFindings, style: Style): string {
  const width = Math.min(Math.max(...findings.map(({ check }) => check.length)), WIDEST_CHECK);
  const lines = findings.map((finding) => describeFinding(finding, width, style));
  return `${[style.strong(TITLES[area]), ...lines].join("\n")}\n`;
}

function describeFinding({ check, status, detail, remedy }: Finding, width: number, style: Style): string {
  const mark = { ok: style.good("✓"), warning: style.warn("!"), failed: style.bad("✗") }[status];
  const line = `  ${mark} ${check.padEnd(width)}  ${indent(redact(detail), width + 6)}`;
  return remedy === undefined ? line : `${line}\n${" ".repeat(6)}${style.dim("→")} ${indent(redact(remedy), 8)}`;
}

function indent(text: string, columns: number): string {
  return text.replaceAll("\n", `\n${" ".repeat(columns)}`);
}

/** `2 failed, 1 warning, 31 ok` */
export function describeTotal(areas: readonly AreaFindings[], style: Style): string {
  const count = (status: Finding["status"]) =>
    areas.flatMap(({ findings }) => findings).filter((finding) => finding.status === status).length;
  const [wrong, warnings] = [count("failed"), count("warning")];
  return [
    ...(wrong === 0 ? [] : [style.bad(`${wrong} failed`)]),
    ...(warnings === 0 ? [] : [style.warn(`${warnings} warning${warnings === 1 ? "" : "s"}`)]),
    style.good(`${count("ok")} ok`),
  ].join(", ");
}

export interface DoctorResult {
  /** Whether nothing failed; warnings do not count. */
  readonly ok: boolean;
  readonly checks: readonly ({ readonly area: AreaName } & Finding)[];
}

/** The document that `--json` prints. Other programs rely on these words. */
export function doctorResult(areas: readonly AreaFindings[]): DoctorResult {
  const checks = areas.flatMap(({ area, findings }) =>
    findings.map(({ detail, remedy, ...finding }) => ({
      area,
      ...finding,
      detail: redact(detail),
      ...(remedy === undefined ? {} : { remedy: redact(remedy) }),
    })),
  );
  return { ok: !checks.some(({ status }) => status === "failed"), checks };
}
