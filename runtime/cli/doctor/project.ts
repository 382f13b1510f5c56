/** What `doctor` checks of the project: the manifest, and that models and tests can be read. */
import { join } from "node:path";
import type { Config } from "../../config/options.ts";
import { NovaError } from "../../core/errors.ts";
import { failed, failedBy, ok, type Finding } from "../../core/finding.ts";
import type { Manifest } from "../../manifest/manifest.ts";
import { readManifest } from "../../manifest/read.ts";
import { openProject } from "../../schedule/build-models.ts";
import type { AreaContext } from "./area.ts";

export interface ManifestOutcome {
  /** Undefined if it cannot be read; then the finding says why. */
  readonly manifest: Manifest | undefined;
  readonly findings: readonly Finding[];
}

export function checkManifest(config: Config): ManifestOutcome {
  const check = "manifest";
  try {
    const manifest = readManifest(join(config.projectDir, "models", "manifest.yml"));
    const columns = manifest.tables.reduce((sum, table) => sum + table.columns.length, 0);
    const detail = `${manifest.file}: tables ${manifest.tables.length}, columns ${columns}.`;
    return { manifest, findings: [ok(check, detail)] };
  } catch (thrown) {
    return { manifest: undefined, findings: oneEach(check, thrown) };
  }
}

/** A message of several problems becomes a finding for each, with its file, line and column. */
function oneEach(check: string, thrown: unknown): readonly Finding[] {
  if (!(thrown instanceof NovaError) || thrown.code !== "MANIFEST_INVALID") return [failedBy(check, thrown)];
  const [, ...problems] = thrown.report().message.split("\n");
  return problems.map((problem) => failed(check, problem, "Correct that line of the manifest."));
}

export async function checkProject(config: Config, { report }: AreaContext): Promise<void> {
  try {
    const project = await openProject(config);
    const count = (kind: string) =>
      project.nodes
        .values()
        .filter((node) => node.kind === kind)
        .toArray().length;
    report(ok("models", `${project.name}: models ${count("model")}, tests ${count("test")}.`));
  } catch (thrown) {
    report(failedBy("models", thrown));
  }
}
