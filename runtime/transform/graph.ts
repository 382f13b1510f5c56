/** Dependencies between nodes: circles, order, ancestors and descendants. */
import { NovaError } from "../core/errors.ts";

interface Node {
  readonly id: string;
  readonly name: string;
  readonly file: string;
  readonly dependsOn: readonly string[];
}

/**
 * Nodes in an order in which everything stands behind what it needs; otherwise the order given. Ids that are not among the nodes
 * (sources) do not count.
 *
 * @throws NovaError MODEL_CYCLE showing the circle
 */
export function topologicalOrder<T extends Node>(nodes: readonly T[]): readonly T[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const done = new Set<string>();
  const ordered: T[] = [];
  for (const root of nodes) {
    // Depth first with a stack of its own: chains may be longer than the call stack.
    const path: { node: T; next: number }[] = [];
    const onPath = new Set<string>();
    const enter = (node: T) => {
      if (onPath.has(node.id))
        throw cycle(
          path.map((step) => step.node),
          node,
        );
      if (done.has(node.id)) return;
      onPath.add(node.id);
      path.push({ node, next: 0 });
    };
    enter(root);
    for (let step = path.at(-1); step; step = path.at(-1)) {
      const parent = step.node.dependsOn[step.next++];
      if (parent === undefined) {
        path.pop();
        onPath.delete(step.node.id);
        done.add(step.node.id);
        ordered.push(step.node);
      } else {
        const node = byId.get(parent);
        if (node) enter(node);
      }
    }
  }
  return ordered;
}

function cycle(path: readonly Node[], again: Node): NovaError {
  const circle = [...path.slice(path.findIndex((node) => node.id === again.id)), again];
  const shown = circle.map((node) => node.name).join(" → ");
  return new NovaError("MODEL_CYCLE", `Models refer to each other in a circle: ${shown}.`, {
    remedy: `Take one of the refs out, in ${[...new Set(circle.map((node) => node.file))].join(" or ")}.`,
    details: { file: again.file, circle: circle.map((node) => node.name) },
  });
}

export interface Graph {
  /** Ids that a node needs, at most `depth` steps away, itself not among them. */
  ancestors(id: string, depth?: number): ReadonlySet<string>;
  descendants(id: string, depth?: number): ReadonlySet<string>;
}

export function createGraph(nodes: Iterable<Pick<Node, "id" | "dependsOn">>): Graph {
  const parents = new Map<string, readonly string[]>();
  const children = new Map<string, string[]>();
  for (const { id, dependsOn } of nodes) {
    parents.set(id, dependsOn);
    for (const parent of dependsOn) children.set(parent, [...(children.get(parent) ?? []), id]);
  }
  return {
    ancestors: (id, depth = Infinity) => reach(parents, id, depth),
    descendants: (id, depth = Infinity) => reach(children, id, depth),
  };
}

function reach(edges: ReadonlyMap<string, readonly string[]>, from: string, depth: number): ReadonlySet<string> {
  const found = new Set<string>();
  let front = [from];
  for (let step = 0; step < depth && front.length > 0; step++) {
    const next = front.flatMap((id) => edges.get(id) ?? []).filter((id) => !found.has(id));
    for (const id of next) found.add(id);
    front = [...new Set(next)];
  }
  found.delete(from);
  return found;
}
