/** The comparison behind the manifest's lock, on tables at random: additions always pass, losses are always found. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareTables } from "../../infra/manifest-lock/compare.ts";
import {
  formatLock,
  parseLock,
  type ChangeName,
  type LockedColumn,
  type LockedTable,
  type LockedTables,
} from "../../infra/manifest-lock/lock.ts";

const OWN: readonly LockedColumn[] = [
  { name: "_SYNCED_AT", type: "TIMESTAMP_LTZ(9)", nullable: false },
  { name: "_BATCH_ID", type: "NUMBER(38,0)", nullable: false },
];

/** Those that can be widened, and those that cannot. */
const type = fc.oneof(
  fc.integer({ min: 2, max: 1000 }).map((length) => `VARCHAR(${length})`),
  fc.tuple(fc.integer({ min: 10, max: 37 }), fc.integer({ min: 1, max: 9 })).map((size) => `NUMBER(${size.join(",")})`),
  fc.integer({ min: 1, max: 8 }).map((precision) => `TIMESTAMP_LTZ(${precision})`),
  fc.integer({ min: 2, max: 1000 }).map((length) => `BINARY(${length})`),
  fc.constantFrom("BOOLEAN", "DATE", "FLOAT", "VARIANT"),
);

const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,5}$/);
const column = fc.record({ name, type, nullable: fc.boolean() });

const table: fc.Arbitrary<LockedTable> = fc
  .uniqueArray(column, { minLength: 2, maxLength: 6, selector: (one) => one.name })
  .map((columns) => ({ primaryKey: [columns[0]?.name ?? ""], columns: [...OWN, ...columns] }));

const tables: fc.Arbitrary<LockedTables> = fc.dictionary(
  name.map((own) => `STAGE.${own}`),
  table,
  { minKeys: 1, maxKeys: 4, noNullPrototype: true },
);

/** Whole numbers that choose where an edit falls, whatever the size of what it falls on. */
const choice = fc.nat(1000);

function pick<T>(from: readonly T[], at: number): T {
  const found = from[at % from.length];
  if (found === undefined) throw new RangeError("Nothing to choose from");
  return found;
}

/** Tables with one of them, chosen by `at`, changed. */
function edit(
  all: LockedTables,
  at: number,
  change: (table: LockedTable) => LockedTable,
): readonly [string, LockedTables] {
  const key = pick(Object.keys(all), at);
  const chosen = all[key];
  if (!chosen) throw new RangeError(key);
  return [key, { ...all, [key]: change(chosen) }];
}

const withColumns = (one: LockedTable, columns: readonly LockedColumn[]): LockedTable => ({ ...one, columns });

function replace(one: LockedTable, index: number, change: (column: LockedColumn) => LockedColumn): LockedTable {
  return withColumns(
    one,
    one.columns.map((entry, position) => (position === index ? change(entry) : entry)),
  );
}

function widen(text: string, by: number): string {
  return text
    .replace(/^VARCHAR\((\d+)\)$/, (_, length: string) => `VARCHAR(${Number(length) + by})`)
    .replace(/^NUMBER\((\d+),/, (_, precision: string) => `NUMBER(${Math.min(38, Number(precision) + by)},`);
}

/** Edits that only add. */
type Addition = (all: LockedTables) => LockedTables;

/** New columns and tables. */
const growth: fc.Arbitrary<Addition> = fc.oneof(
  fc.tuple(choice, type, fc.nat()).map(([at, text, unique]): Addition => {
    const added = { name: `NEW${unique}`, type: text, nullable: true };
    return (all) =>
      edit(all, at, (one) =>
        one.columns.some((entry) => entry.name === added.name) ? one : withColumns(one, [...one.columns, added]),
      )[1];
  }),
  fc.tuple(fc.nat(), table).map(([unique, added]): Addition => (all) => ({ [`MORE.T${unique}`]: added, ...all })),
);

/** Columns that take more than before. */
const relaxation: fc.Arbitrary<Addition> = fc.oneof(
  fc.tuple(choice, choice, fc.integer({ min: 1, max: 9 })).map(([at, index, by]): Addition => {
    return (all) =>
      edit(all, at, (one) =>
        replace(one, index % one.columns.length, (entry) => ({ ...entry, type: widen(entry.type, by) })),
      )[1];
  }),
  fc.tuple(choice, choice).map(([at, index]): Addition => {
    return (all) =>
      edit(all, at, (one) => replace(one, index % one.columns.length, (entry) => ({ ...entry, nullable: true })))[1];
  }),
);

const additions = fc.array(fc.oneof(growth, relaxation), { maxLength: 6 });

function apply(all: LockedTables, edits: readonly Addition[]): LockedTables {
  return edits.reduce((so, next) => (Object.keys(so).length === 0 ? so : next(so)), all);
}

/** An edit that loses something, and the change that it must be called. */
type Loss = (all: LockedTables, at: number, index: number) => readonly [LockedTables, ChangeName];

/** Position of a column of the manifest, the first two being the load's own. */
const own = (one: LockedTable, index: number): number => OWN.length + (index % (one.columns.length - OWN.length));

/** @param alter undefined for a column that cannot be changed in this way, which another run then tries */
function changeColumn(
  change: ChangeName["change"],
  alter: (column: LockedColumn) => LockedColumn | undefined,
  hasTo: boolean,
): Loss {
  return (all, at, index) => {
    let to: string | undefined;
    let column = "";
    const [key, after] = edit(all, at, (one) =>
      replace(one, own(one, index), (entry) => {
        const altered = alter(entry);
        fc.pre(altered !== undefined);
        column = entry.name;
        to = hasTo ? altered.type : undefined;
        return altered;
      }),
    );
    return [after, { change, table: key, column, to }];
  };
}

const LOSSES: Readonly<Record<string, Loss>> = {
  "a dropped table": (all, at) => {
    const key = pick(Object.keys(all), at);
    return [
      Object.fromEntries(Object.entries(all).filter(([other]) => other !== key)),
      { change: "drop-table", table: key },
    ];
  },
  "a renamed table": (all, at) => {
    const key = pick(Object.keys(all), at);
    const renamed = Object.entries(all).map(([other, one]) => [other === key ? "OTHER.NAME" : other, one] as const);
    return [Object.fromEntries(renamed), { change: "rename-table", table: key, to: "OTHER.NAME" }];
  },
  "a dropped column": (all, at, index) => {
    let column = "";
    const [key, after] = edit(all, at, (one) => {
      const gone = own(one, index);
      column = one.columns[gone]?.name ?? "";
      return withColumns(
        one,
        one.columns.filter((_, position) => position !== gone),
      );
    });
    return [after, { change: "drop-column", table: key, column }];
  },
  "a renamed column": (all, at, index) => {
    let column = "";
    const [key, after] = edit(all, at, (one) => {
      const renamed = replace(one, own(one, index), (entry) => {
        column = entry.name;
        return { ...entry, name: "ANOTHER_NAME" };
      });
      // The manifest's key can only name columns that it has.
      return { ...renamed, primaryKey: one.primaryKey.map((part) => (part === column ? "ANOTHER_NAME" : part)) };
    });
    return [after, { change: "rename-column", table: key, column, to: "ANOTHER_NAME" }];
  },
  "a new column before others": (all, at, index) => {
    const added = { name: "IN_BETWEEN", type: "INSERTED", nullable: true };
    const [key, after] = edit(all, at, (one) => withColumns(one, one.columns.toSpliced(own(one, index), 0, added)));
    return [after, { change: "insert-column", table: key, column: "IN_BETWEEN" }];
  },
  "two columns that changed places": (all, at, index) => {
    let to = "";
    const [key, after] = edit(all, at, (one) => {
      const first = own(one, index);
      const second = own(one, index + 1);
      const columns = [...one.columns];
      [columns[first], columns[second]] = [pick(columns, second), pick(columns, first)];
      to = columns.map((entry) => entry.name).join(", ");
      return withColumns(one, columns);
    });
    return [after, { change: "reorder-columns", table: key, to }];
  },
  "a narrower type": changeColumn(
    "narrow-type",
    (entry) => {
      const narrower = entry.type.replace(/\((\d+)/, (_, size: string) => `(${Number(size) - 1}`);
      return narrower === entry.type ? undefined : { ...entry, type: narrower };
    },
    true,
  ),
  "another type": changeColumn(
    "change-type",
    (entry) => ({ ...entry, type: entry.type === "BOOLEAN" ? "DATE" : "BOOLEAN" }),
    true,
  ),
  "a longer type that Snowflake cannot widen": changeColumn(
    "change-type",
    (entry) =>
      /^(BINARY|TIMESTAMP)/.test(entry.type)
        ? { ...entry, type: entry.type.replace(/\((\d+)/, (_, size: string) => `(${Number(size) + 1}`) }
        : undefined,
    true,
  ),
  "a column that may no longer be NULL": changeColumn(
    "set-not-null",
    (entry) => (entry.nullable ? { ...entry, nullable: false } : undefined),
    false,
  ),
  "a new column that is NOT NULL": (all, at) => {
    const added = { name: "ALWAYS_THERE", type: "DATE", nullable: false };
    const [key, after] = edit(all, at, (one) => withColumns(one, [...one.columns, added]));
    return [after, { change: "add-not-null-column", table: key, column: "ALWAYS_THERE" }];
  },
  "another primary key": (all, at, index) => {
    let to = "";
    const [key, after] = edit(all, at, (one) => {
      const second = pick(one.columns.slice(OWN.length + 1), index).name;
      to = [...one.primaryKey, second].join(", ");
      return { ...one, primaryKey: [...one.primaryKey, second] };
    });
    return [after, { change: "change-primary-key", table: key, to }];
  },
};

const nameOf = ({ change, table: where, column: which, to }: ChangeName): ChangeName => ({
  change,
  table: where,
  column: which,
  to,
});

describe("comparison", () => {
  it("finds nothing where nothing has changed, in whatever order tables are told", () => {
    fc.assert(
      fc.property(tables, (all) => {
        const turned = Object.fromEntries(Object.entries(all).toReversed());
        expect(compareTables(all, turned)).toEqual({ changes: [], additions: [] });
      }),
    );
  });

  it("lets every addition pass", () => {
    fc.assert(
      fc.property(tables, additions, (all, edits) => {
        expect(compareTables(all, apply(all, edits)).changes).toEqual([]);
      }),
    );
  });

  it.each(Object.entries(LOSSES))("finds %s, by its name and alone", (_, lose) => {
    fc.assert(
      fc.property(tables, choice, choice, (all, at, index) => {
        const [after, change] = lose(all, at, index);
        expect(compareTables(all, after).changes.map(nameOf)).toEqual([nameOf(change)]);
      }),
    );
  });

  it.each(Object.entries(LOSSES))("finds %s among additions", (_, lose) => {
    fc.assert(
      fc.property(tables, fc.array(growth, { maxLength: 6 }), choice, choice, (all, edits, at, index) => {
        const [after, change] = lose(all, at, index);
        const found = compareTables(all, apply(after, edits)).changes;
        const about = found.filter((one) => one.table === change.table && one.column === change.column);
        // What takes the place of a lost name, or no longer looks like it, may turn a drop into a rename and the other way round.
        const isGone = /^(drop|rename)-/;
        if (isGone.test(change.change)) expect(about.map((one) => one.change)).toEqual([expect.stringMatching(isGone)]);
        else expect(about.map(nameOf)).toEqual([nameOf(change)]);
      }),
    );
  });

  it("lets nothing pass that Snowflake would not keep, whatever the two are", () => {
    fc.assert(
      fc.property(tables, tables, fc.array(choice), (before, other, kept) => {
        // Half of one and half of the other, so that some agree.
        const after = Object.fromEntries(
          Object.entries({ ...other, ...before }).filter(
            (_, index) => kept[index] === undefined || kept[index] % 2 === 0,
          ),
        );
        for (const [key, one] of Object.entries(before)) {
          const mixed = other[key] ?? after[key];
          const now = { ...after, ...(mixed ? { [key]: mixed } : {}) };
          const passes = compareTables({ [key]: one }, now).changes.length === 0;
          if (passes) expect(keeps(one, now[key])).toBe(true);
        }
      }),
    );
  });
});

/** What has to hold of two states of a table for the first one's rows to be in the second: told without the code under test. */
function keeps(before: LockedTable, after: LockedTable | undefined): boolean {
  if (!after || before.primaryKey.join() !== after.primaryKey.join()) return false;
  const same = before.columns.every((entry, index) => {
    const now = after.columns[index];
    const fits =
      now?.type === entry.type ||
      (/^(VARCHAR|NUMBER)/.test(entry.type) && now?.type.startsWith(entry.type.slice(0, 6)));
    return now?.name === entry.name && fits && (entry.nullable ? now.nullable : true);
  });
  return same && after.columns.slice(before.columns.length).every((entry) => entry.nullable);
}

describe("the file's text", () => {
  it("holds whatever tables there are", () => {
    fc.assert(
      fc.property(tables, fc.string({ minLength: 2 }), (all, word) => {
        const odd = {
          ...all,
          [`STAGE.${word}`]: { primaryKey: [word], columns: [{ name: word, type: "DATE", nullable: true }] },
        };
        const { tables: read } = parseLock(formatLock({ tables: odd, allow: [], history: [] }));
        expect(read).toEqual(odd);
      }),
    );
  });
});
