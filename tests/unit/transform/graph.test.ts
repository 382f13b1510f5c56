import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import { createGraph, topologicalOrder } from "../../../runtime/transform/graph.ts";

const node = (id: string, ...dependsOn: string[]) => ({ id, name: id, file: `${id}.sql`, dependsOn });

test("a node stands behind what it needs", () => {
  const ordered = topologicalOrder([node("c", "b", "a"), node("a", "source"), node("b", "a")]);
  expect(ordered.map(({ id }) => id)).toEqual(["a", "b", "c"]);
});

test("any graph without a circle is ordered, with every node once", () => {
  const edges = fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 100 });
  fc.assert(
    fc.property(edges, fc.integer(), (pairs, seed) => {
      const nodes = Array.from({ length: 31 }, (_, index) =>
        node(String(index), ...pairs.filter(([a, b]) => a === index && b < index).map(([, b]) => String(b))),
      ).toSorted((a, b) => ((Number(a.id) * 7919 + seed) % 31) - ((Number(b.id) * 7919 + seed) % 31));
      const ids = topologicalOrder(nodes).map(({ id }) => id);
      expect(new Set(ids).size).toBe(31);
      for (const { id, dependsOn } of nodes) {
        for (const parent of dependsOn) expect(ids.indexOf(parent)).toBeLessThan(ids.indexOf(id));
      }
    }),
  );
});

test("a chain longer than the call stack is no trouble", () => {
  const chain = Array.from({ length: 50_000 }, (_, index) => node(String(index), String(index + 1)));
  expect(topologicalOrder(chain)[0]?.id).toBe("49999");
});

test("a circle is shown", () => {
  const order = () => topologicalOrder([node("a", "b"), node("b", "c"), node("c", "d", "b"), node("d")]);
  expect(order).toThrow(NovaError);
  expect(order).toThrow("Models refer to each other in a circle: b → c → b.");
  expect(() => topologicalOrder([node("a", "a")])).toThrow("a → a");
});

describe("ancestors and descendants", () => {
  const graph = createGraph([node("b", "a"), node("c", "b"), node("d", "b", "a")]);
  test("at any distance", () => {
    expect(graph.ancestors("c")).toEqual(new Set(["a", "b"]));
    expect(graph.descendants("a")).toEqual(new Set(["b", "c", "d"]));
  });
  test("at most so many steps away", () => {
    expect(graph.ancestors("c", 1)).toEqual(new Set(["b"]));
    expect(graph.ancestors("c", 0)).toEqual(new Set());
  });
});
