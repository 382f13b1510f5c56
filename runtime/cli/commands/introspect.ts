/** `novadrive introspect`: how the manifest differs from the live database; with `--write`, a manifest that does not. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { requireSourceUrl } from "../../config/config.ts";
import type { Config } from "../../config/options.ts";
import { NovaError } from "../../core/errors.ts";
import { describeDifference, diffManifest, type ManifestDifference } from "../../manifest/introspect.ts";
import { writeManifest } from "../../manifest/introspect-write.ts";
import { parseManifest } from "../../manifest/read.ts";
import { introspectSchema } from "../../source/introspect.ts";
import { configWithSecrets, stopSignal } from "../invocation.ts";
import type { ReportStatus } from "../program.ts";

interface IntrospectFlags {
  readonly write?: boolean | undefined;
  readonly schema: string;
  readonly json?: boolean | undefined;
}

export function introspectCommand(report: ReportStatus): Command {
  return new Command("introspect")
    .description("how the manifest differs from the live PostgreSQL; reads only the catalogue")
    .option("--write", "write or extend models/manifest.yml: new tables and columns are added, nothing is taken out")
    .option("--schema <name>", "PostgreSQL schema to read", "public")
    .option("--json", "print the differences as one JSON document")
    .addHelpText(
      "after",
      `
Examples:
  $ novadrive introspect
  $ novadrive introspect --write && git diff sql/models/manifest.yml
  $ novadrive introspect --schema sales --project-dir ./sales --write`,
    )
    .action(async ({ write = false, schema, json = false }: IntrospectFlags, command: Command) => {
      using signal = stopSignal();
      const config = await configWithSecrets(command, { secrets: ["sourceUrl"], signal });
      const file = join(config.projectDir, "models", "manifest.yml");
      const existingText = await readIfThere(file);
      const manifest = existingText === undefined ? { file, tables: [] } : parseManifest(file, existingText);
      const named = manifest.tables.flatMap((one) => (one.sourceSchema === schema ? [one.sourceTable] : []));
      const tables = await introspectSchema({ url: requireSourceUrl(config), schema, named, signal });
      const differences = diffManifest({ manifest, schema, tables });
      const text = write ? writeManifest({ existingText, tables, schema }) : undefined;
      const changed = text !== undefined && text !== existingText;
      if (changed) await writeProject(config, file, text);
      const written = changed ? file : null;
      process.stdout.write(
        json ? `${JSON.stringify({ differences, written })}\n` : describe(differences, { file, written, write }),
      );
      report(0);
    });
}

interface Outcome {
  readonly file: string;
  readonly written: string | null;
  readonly write: boolean;
}

function describe(differences: readonly ManifestDifference[], { file, written, write }: Outcome): string {
  if (differences.length === 0) return `${file} agrees with the source.\n`;
  const lines = differences.map(describeDifference);
  if (written !== null)
    lines.push(`\nWrote ${file}. Look it over: cursors and keys are guesses from names and constraints.`);
  else if (write)
    lines.push(`\n${file} was left as it is: nothing is to be added, and what changed is for you to decide.`);
  else lines.push("\nAdd what is new with `novadrive introspect --write`.");
  return `${lines.join("\n")}\n`;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return undefined;
    throw new NovaError("MANIFEST_MISSING", `The manifest ${file} cannot be read.`, { cause: thrown });
  }
}

const NEW_PROJECT = `name: warehouse
version: "1.0"
profile: warehouse
model-paths: [models]
`;

/** The manifest, whole or not at all; and around it the smallest dbt project, where there is none yet. */
async function writeProject(config: Config, file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
    await writeFile(join(config.projectDir, "dbt_project.yml"), NEW_PROJECT, { flag: "wx" }).catch(
      (thrown: unknown) => {
        if (!(thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST")) throw thrown;
      },
    );
  } catch (cause) {
    throw new NovaError("FOLDER_NOT_WRITABLE", `The manifest cannot be written to ${file}.`, {
      cause,
      remedy: "Give this user write access to the folder, or choose another with --project-dir.",
    });
  }
}
