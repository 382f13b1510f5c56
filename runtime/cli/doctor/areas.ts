/** The areas that `doctor` checks, in the order in which they are shown. */
import { resolve } from "node:path";
import { requireSourceUrl } from "../../config/config.ts";
import type { Config, OptionName } from "../../config/options.ts";
import { resolveSecrets } from "../../config/resolve-secrets.ts";
import { systemClock } from "../../core/clock.ts";
import { failed } from "../../core/finding.ts";
import type { Manifest } from "../../manifest/manifest.ts";
import { findRunningBatch } from "../../schedule/batch-lock.ts";
import { cacheFolder, openProject } from "../../schedule/build-models.ts";
import { diagnoseSource } from "../../source/diagnose.ts";
import { diagnoseWarehouse } from "../../warehouse/diagnose.ts";
import type { Area, AreaContext } from "./area.ts";
import { checkMachine, type GivenSettings } from "./machine.ts";
import { checkManifest, checkProject } from "./project.ts";

/** A source or warehouse whose setting is not valid is asked nothing, rather than another one by default. */
export function doctorAreas({ config, problems }: GivenSettings): readonly Area[] {
  // Without a manifest, everything that does not depend on its tables is still checked.
  const { manifest = { file: "", tables: [] }, findings } = checkManifest(config);
  const ifValid = (option: OptionName, setting: string, check: Area["check"]): Area["check"] =>
    problems.some((problem) => problem.option === option) ? async ({ report }) => report(notAsked(setting)) : check;
  return [
    { name: "machine", check: (context) => checkMachine({ config, problems }, context) },
    {
      name: "project",
      check: async (context) => {
        context.report(...findings);
        await checkProject(config, context);
      },
    },
    {
      name: "source",
      check: ifValid("sourceUrl", "NOVADRIVE_SOURCE_URL", (context) => checkSource(config, manifest, context)),
    },
    {
      name: "warehouse",
      check: ifValid("warehouseUrl", "NOVADRIVE_WAREHOUSE_URL", (context) => checkWarehouse(config, manifest, context)),
    },
  ];
}

const notAsked = (setting: string) =>
  failed("connection", `${setting} is not valid, so nothing was asked.`, "Correct it as the settings' finding says.");

async function checkSource(given: Config, { tables }: Manifest, context: AreaContext): Promise<void> {
  const config = await resolveSecrets(given, ["sourceUrl"], { signal: context.signal });
  await diagnoseSource({ url: requireSourceUrl(config), tables, clock: systemClock, ...context });
}

async function checkWarehouse(config: Config, manifest: Manifest, { report, signal }: AreaContext): Promise<void> {
  const batchProcess = runningBatch(config.stateDir);
  const url = config.warehouseUrl;
  const modelSchemas = await schemasOfModels(config);
  const opening = { url, cacheFolder: cacheFolder(config), signal };
  report(...(await diagnoseWarehouse({ ...opening, manifest, modelSchemas, batchProcess })));
}

/** None where the project cannot be read, which is a finding of its own. */
async function schemasOfModels(config: Config): Promise<readonly string[]> {
  try {
    const nodes = [...(await openProject(config)).nodes.values()];
    return [...new Set(nodes.flatMap((node) => (node.kind === "model" ? [node.schema] : [])))];
  } catch {
    return [];
  }
}

function runningBatch(folder: string): number | undefined {
  try {
    return findRunningBatch(resolve(folder))?.pid;
  } catch {
    // The machine's finding says so.
    return undefined;
  }
}
