/** `novadrive compile`: the SQL that models, tests and explorations become. */
import { Command } from "commander";
import { compiledFolder, openProject } from "../../schedule/build-models.ts";
import { compiledPath, compileProject, writeCompiled } from "../../transform/compile-project.ts";
import { configOf } from "../invocation.ts";
import type { ReportStatus } from "../program.ts";

interface CompileFlags {
  readonly select?: string | undefined;
  readonly exclude?: string | undefined;
  readonly json?: boolean | undefined;
}

export function compileCommand(report: ReportStatus): Command {
  return new Command("compile")
    .description(
      "write the SQL of models, tests and explorations to the state folder, as dbt would to target/; needs no warehouse",
    )
    .option("--select <nodes>", "only these, in dbt's selection syntax; a single one is printed")
    .option("--exclude <nodes>", "all but these")
    .option("--json", "print names, files and SQL as one JSON document")
    .addHelpText("after", "\nExamples:\n  $ novadrive compile\n  $ novadrive compile --select fct_vendas")
    .action(async ({ select, exclude, json = false }: CompileFlags, command: Command) => {
      const config = configOf(command);
      const project = await openProject(config);
      const nodes = compileProject({
        project,
        select,
        exclude,
        // Incremental models are shown as their first build, since no warehouse is asked.
        exists: () => false,
        relationName: ({ schema, name }) => `${schema}.${name}`,
      });
      const folder = compiledFolder(config);
      const written = await Promise.all(
        nodes.map(async (compiled) => {
          const node = project.nodes.get(compiled.id);
          const path = node ? compiledPath(folder, project, node) : folder;
          await writeCompiled(path, compiled.sql);
          return { ...compiled, path };
        }),
      );
      const [only] = written;
      if (json) process.stdout.write(`${JSON.stringify({ nodes: written })}\n`);
      else if (written.length === 1 && only) process.stdout.write(`${only.sql}\n`);
      else for (const { kind, name, path } of written) process.stdout.write(`${kind.padEnd(9)}${name}  ${path}\n`);
      report(0);
    });
}
