/** The sources that the yml files declare: the stage tables of the manifest, and whatever else the models read. */
import { throwProblems, type Properties } from "./project-files.ts";
import type { SourceNode } from "./project.ts";
import { isRecord, names } from "./node-config.ts";

/** By unique id. @throws NovaError PROJECT_INVALID for a table that is declared twice */
export function readSources(projectName: string, properties: readonly Properties[]): ReadonlyMap<string, SourceNode> {
  const sources = new Map<string, SourceNode>();
  for (const { yaml, path, content } of properties) {
    for (const [s, source] of (content.sources ?? []).entries()) {
      for (const [t, table] of (source.tables ?? []).entries()) {
        const id = `source.${projectName}.${source.name}.${table.name}`;
        const other = sources.get(id);
        if (other) {
          const problem = `source table "${source.name}.${table.name}" stands in ${other.file} too; take one out`;
          throwProblems([yaml.problem(["sources", s, "tables", t, "name"], problem)]);
        }
        const inConfig = [source.config, table.config].flatMap((config) =>
          isRecord(config) ? names(config["tags"]) : [],
        );
        sources.set(id, {
          kind: "source",
          id,
          name: table.name,
          sourceName: source.name,
          schema: source.schema ?? source.name,
          identifier: table.identifier ?? table.name,
          file: yaml.file,
          path,
          fqn: [projectName, source.name, table.name],
          tags: [...new Set([...names(source.tags), ...names(table.tags), ...inConfig])],
          description: table.description?.trim(),
          columns: (table.columns ?? []).map(({ name, description }) => ({ name, description: description?.trim() })),
          dependsOn: [],
        });
      }
    }
  }
  return sources;
}
