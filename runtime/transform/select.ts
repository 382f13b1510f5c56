/** dbt's selection syntax: names, methods, `+` and `@`, unions by blanks, intersections by commas. */
import { NovaError } from "../core/errors.ts";
import { createGraph, type Graph } from "./graph.ts";
import type { GraphNode, Project } from "./project.ts";

export interface Selection {
  /** One argument as dbt takes it (`"tag:daily fct_vendas+"`), or several. Everything, if absent. */
  readonly select?: string | readonly string[] | undefined;
  readonly exclude?: string | readonly string[] | undefined;
}

/**
 * Ids of the selected models, tests, analyses and sources. A test is selected with any of the models or sources that it reads, as in dbt.
 *
 * @throws NovaError SELECTION_EMPTY if nothing remains, USAGE_INVALID for a method that does not exist
 */
export function selectNodes(project: Project, { select, exclude }: Selection): ReadonlySet<string> {
  const nodes: readonly GraphNode[] = [...project.sources.values(), ...project.nodes.values()];
  const graph = createGraph(nodes);
  const everything = new Set(nodes.map(({ id }) => id));
  const union = (specs: readonly string[]) => new Set(specs.flatMap((spec) => [...intersection(nodes, graph, spec)]));
  const wanted = words(select);
  const included = wanted.length === 0 ? everything : union(wanted);
  const excluded = union(words(exclude));
  const selected = new Set([...included].filter((id) => !excluded.has(id)));
  if (selected.size > 0) return selected;
  const shown = [
    wanted.length > 0 && `--select ${wanted.join(" ")}`,
    excluded.size > 0 && `--exclude ${words(exclude).join(" ")}`,
  ];
  const what = shown.filter((part) => part !== false).join(" ");
  const known = nodes.flatMap((node) => (node.kind === "model" ? [node.name] : []));
  throw new NovaError("SELECTION_EMPTY", `${what || "The project"} matches no model or test.`, {
    remedy: `The models are: ${known.join(", ")}. Tags and folders are written tag:x and path:models/x.`,
  });
}

function words(argument: string | readonly string[] | undefined): readonly string[] {
  return [argument ?? []].flat().flatMap((text) => text.split(/\s+/).filter((word) => word !== ""));
}

function intersection(nodes: readonly GraphNode[], graph: Graph, spec: string): ReadonlySet<string> {
  const parts = spec.split(",").filter((part) => part !== "");
  // Tests join before the sets are cut, so that `dim_clientes,test_name:unique` means what it says.
  const sets = parts.map((part) => withTests(nodes, matching(nodes, graph, part)));
  return new Set([...(sets[0] ?? [])].filter((id) => sets.every((set) => set.has(id))));
}

const SPEC = /^(?<at>@)?(?:(?<up>\d*)\+)?(?<what>.+?)(?:\+(?<down>\d*))?$/;

/** One word without a comma: `2+fct_vendas+`. */
function matching(nodes: readonly GraphNode[], graph: Graph, spec: string): ReadonlySet<string> {
  const { at, up, what = spec, down } = SPEC.exec(spec)?.groups ?? {};
  const chosen = nodes.filter(matcher(what, spec)).map(({ id }) => id);
  const depth = (text: string) => (text === "" ? Infinity : Number(text));
  const found = new Set(chosen);
  for (const id of chosen) {
    if (up !== undefined) for (const other of graph.ancestors(id, depth(up))) found.add(other);
    if (down !== undefined || at !== undefined)
      for (const other of graph.descendants(id, depth(down ?? ""))) found.add(other);
  }
  if (at === undefined) return found;
  return new Set([...found].flatMap((id) => [id, ...graph.ancestors(id)]));
}

function matcher(what: string, spec: string): (node: GraphNode) => boolean {
  const colon = what.indexOf(":");
  if (colon < 0) return /[/\\]|\.sql$|\.ya?ml$/.test(what) ? byPath(what) : byName(what);
  const value = what.slice(colon + 1);
  const method = what.slice(0, colon);
  switch (method) {
    case "tag":
      return ({ tags }) => tags.some((tag) => glob(value).test(tag));
    case "path":
      return byPath(value);
    case "file":
      return ({ path }) => path.endsWith(`/${value}`) || path.endsWith(`/${value}.sql`);
    case "fqn":
      return byName(value);
    case "source":
      return bySource(value);
    case "resource_type":
      return ({ kind }) => kind === value;
    case "test_name":
      return (node) => node.kind === "test" && node.test.kind === "generic" && node.test.name === value;
    case "test_type":
      return (node) => node.kind === "test" && (value === "data" || node.test.kind === value);
    case "config.materialized":
      return (node) => node.kind === "model" && node.config.materialized === value;
    default:
      throw new NovaError("USAGE_INVALID", `"${spec}": there is no selection method "${method}".`, {
        remedy:
          "Use a name, tag:, path:, file:, source:, resource_type:, test_name:, test_type: or config.materialized:.",
      });
  }
}

/** A name, or folders and name with dots (`staging.stg_vendas`, with or without the project before); a folder means all below it. */
function byName(value: string): (node: GraphNode) => boolean {
  const pattern = glob(value);
  return (node) => {
    if (node.kind === "source") return false;
    if (pattern.test(node.name)) return true;
    const paths = node.fqn.map((_, index) => node.fqn.slice(0, index + 1).join("."));
    const withoutProject = node.fqn.slice(1).map((_, index) => node.fqn.slice(1, index + 2).join("."));
    return [...paths, ...withoutProject].some((path) => pattern.test(path));
  };
}

/** `stage`, `stage.vendas`, `project.stage.vendas`. */
function bySource(value: string): (node: GraphNode) => boolean {
  const parts = value.split(".");
  return (node) => {
    if (node.kind !== "source") return false;
    const [first = "*", second = "*"] = parts.length === 3 ? parts.slice(1) : parts;
    return glob(first).test(node.sourceName) && glob(second).test(node.name);
  };
}

/** A file or folder, from the project folder. */
function byPath(value: string): (node: GraphNode) => boolean {
  const wanted = value.replaceAll("\\", "/").replace(/^\.\//, "").replace(/\/+$/, "");
  const pattern = glob(wanted);
  return ({ path }) => pattern.test(path) || path.startsWith(`${wanted}/`);
}

/** `*`, `?` and `[abc]`, as in a shell. */
function glob(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`);
}

/** dbt's "eager" rule. */
function withTests(nodes: readonly GraphNode[], chosen: ReadonlySet<string>): ReadonlySet<string> {
  const tests = nodes.filter((node) => node.kind === "test" && node.dependsOn.some((id) => chosen.has(id)));
  return new Set([...chosen, ...tests.map(({ id }) => id)]);
}
