/** The manifest's lock: what may pass by itself, what must be allowed by name, and in which words it is refused. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkLock } from "../../infra/manifest-lock/check.ts";
import { guardManifest, updateLock } from "../../infra/manifest-lock/file.ts";
import {
  formatLock,
  lockedTables,
  parseLock,
  type Allowance,
  type ManifestLock,
} from "../../infra/manifest-lock/lock.ts";
import { parseManifest, readManifest } from "../../runtime/manifest/read.ts";

const SQL = join(import.meta.dirname, "../../sql");
const TODAY = "2026-01-31";

const BEFORE = `
      - name: orders
        config: {meta: {primary_key: [id]}}
        columns:
          - {name: id, data_type: integer, constraints: [{type: not_null}]}
          - {name: code, data_type: varchar(20)}
          - {name: price, data_type: "decimal(10,2)", constraints: [{type: not_null}]}
          - {name: changed, data_type: timestamp_ltz}`;

function manifestOf(tables: string) {
  return parseManifest("manifest.yml", `version: 2\nsources:\n  - name: stage\n    tables:${tables}\n`);
}

const manifest = manifestOf(BEFORE);
const LOCK: ManifestLock = { tables: lockedTables(manifest.tables), allow: [], history: [] };

/** @param edits what to replace in the manifest, by what */
function check(edits: readonly (readonly [string, string])[], allow: readonly Allowance[] = []) {
  let text = BEFORE;
  for (const [from, to] of edits) {
    expect(text).toContain(from);
    text = text.replace(from, to);
  }
  return checkLock({ lock: { ...LOCK, allow }, tables: manifestOf(text).tables, today: TODAY });
}

describe("the lock of this project", () => {
  it("is up to date: npm run manifest:lock", () => {
    const outcome = updateLock({
      file: join(SQL, "manifest.lock.json"),
      manifest: readManifest(join(SQL, "models/manifest.yml")),
      today: TODAY,
      write: false,
    });
    expect(outcome).toEqual({ status: "same", news: [] });
  });
});

const CODE = "\n          - {name: code, data_type: varchar(20)}";
const CHANGED = "\n          - {name: changed, data_type: timestamp_ltz}";

describe("what passes by itself", () => {
  it("is no change at all", () => {
    expect(check([])).toMatchObject({ problems: [], news: [], next: LOCK });
  });

  it.each([
    [
      "a nullable column at the end",
      [[CHANGED, `${CHANGED}\n          - {name: note, data_type: text}`]],
      "STAGE.ORDERS.NOTE, VARCHAR(16777216)",
    ],
    ["a longer text", [["varchar(20)", "varchar(21)"]], "STAGE.ORDERS.CODE is VARCHAR(21) instead of VARCHAR(20)"],
    [
      "a number with more digits before its point",
      [["decimal(10,2)", "decimal(12,2)"]],
      "STAGE.ORDERS.PRICE is NUMBER(12,2) instead of NUMBER(10,2)",
    ],
    [
      "a column that may be NULL from now on",
      [['"decimal(10,2)", constraints: [{type: not_null}]', '"decimal(10,2)"']],
      "STAGE.ORDERS.PRICE may be NULL",
    ],
    [
      "another table, whatever its columns",
      [
        [
          BEFORE,
          `${BEFORE}\n      - name: notes\n        columns: [{name: id, data_type: integer, constraints: [{type: not_null}]}]`,
        ],
      ],
      "table STAGE.NOTES",
    ],
  ] as const)("is %s", (_, edits, news) => {
    const result = check(edits);
    expect(result.problems).toEqual([]);
    expect(result.news).toEqual([`new: ${news}`]);
    expect(result.next.tables).not.toEqual(LOCK.tables);
  });
});

const LOSSES: readonly (readonly [
  string,
  readonly (readonly [string, string])[],
  readonly Omit<Allowance, "why" | "date">[],
  RegExp,
])[] = [
  [
    "a table that is gone",
    [[BEFORE, BEFORE.replaceAll("orders", "bills").replace("integer", "varchar(9)")]],
    [{ change: "drop-table", table: "STAGE.ORDERS" }],
    /STAGE\.ORDERS is gone from the manifest\. Pulumi would drop the table with its rows\. Put it back/,
  ],
  [
    "a table under another name",
    [["name: orders", "name: bills"]],
    [{ change: "rename-table", table: "STAGE.ORDERS", to: "STAGE.BILLS" }],
    /STAGE\.ORDERS is now named STAGE\.BILLS\. .*ALTER TABLE STAGE\.ORDERS RENAME TO STAGE\.BILLS/,
  ],
  [
    "a column that is gone",
    [[CODE, ""]],
    [{ change: "drop-column", table: "STAGE.ORDERS", column: "CODE" }],
    /STAGE\.ORDERS\.CODE is gone from the manifest\. Pulumi would drop the column with its values, without asking/,
  ],
  [
    "a column under another name",
    [["name: code", "name: reference"]],
    [{ change: "rename-column", table: "STAGE.ORDERS", column: "CODE", to: "REFERENCE" }],
    /STAGE\.ORDERS\.CODE is now named REFERENCE\. .*RENAME COLUMN CODE TO REFERENCE/,
  ],
  [
    "a new column before others",
    [[CODE, `${CODE}\n          - {name: note, data_type: text}`]],
    [{ change: "insert-column", table: "STAGE.ORDERS", column: "NOTE" }],
    /STAGE\.ORDERS\.NOTE is new, and not behind all others\. .*Move it to the end/,
  ],
  [
    "columns in another order",
    [
      [CHANGED, ""],
      [CODE, `${CHANGED}${CODE}`],
    ],
    [{ change: "reorder-columns", table: "STAGE.ORDERS", to: "_SYNCED_AT, _BATCH_ID, ID, CHANGED, CODE, PRICE" }],
    /STAGE\.ORDERS has its columns in another order .*Restore the order _SYNCED_AT, _BATCH_ID, ID, CODE, PRICE, CHANGED/,
  ],
  [
    "a shorter text",
    [["varchar(20)", "varchar(19)"]],
    [{ change: "narrow-type", table: "STAGE.ORDERS", column: "CODE", to: "VARCHAR(19)" }],
    /STAGE\.ORDERS\.CODE is narrowed from VARCHAR\(20\) to VARCHAR\(19\)/,
  ],
  [
    "a number with fewer digits",
    [["decimal(10,2)", "decimal(9,2)"]],
    [{ change: "narrow-type", table: "STAGE.ORDERS", column: "PRICE", to: "NUMBER(9,2)" }],
    /narrowed from NUMBER\(10,2\) to NUMBER\(9,2\)/,
  ],
  [
    "a number with its point elsewhere",
    [["decimal(10,2)", "decimal(12,3)"]],
    [{ change: "change-type", table: "STAGE.ORDERS", column: "PRICE", to: "NUMBER(12,3)" }],
    /changed from NUMBER\(10,2\) to NUMBER\(12,3\)\. Snowflake cannot change it in place/,
  ],
  [
    "another kind of type",
    [["varchar(20)", "integer"]],
    [{ change: "change-type", table: "STAGE.ORDERS", column: "CODE", to: "NUMBER(38,0)" }],
    /changed from VARCHAR\(20\) to NUMBER\(38,0\)/,
  ],
  [
    "a column that may no longer be NULL",
    [["varchar(20)", "varchar(20), constraints: [{type: not_null}]"]],
    [{ change: "set-not-null", table: "STAGE.ORDERS", column: "CODE" }],
    /STAGE\.ORDERS\.CODE may no longer be NULL/,
  ],
  [
    "a new column that is NOT NULL",
    [[CHANGED, `${CHANGED}\n          - {name: note, data_type: text, constraints: [{type: not_null}]}`]],
    [{ change: "add-not-null-column", table: "STAGE.ORDERS", column: "NOTE" }],
    /STAGE\.ORDERS\.NOTE is new and NOT NULL\. Snowflake refuses it on a table that has rows/,
  ],
  [
    "another primary key",
    [["primary_key: [id]", "primary_key: [id, price]"]],
    [{ change: "change-primary-key", table: "STAGE.ORDERS", to: "ID, PRICE" }],
    /STAGE\.ORDERS has another primary key \(ID → ID, PRICE\)\. .*Restore the key ID/,
  ],
];

describe("what is refused unless it is allowed by name", () => {
  it.each(LOSSES)("%s", (_, edits, names, words) => {
    const refused = check(edits);
    expect(refused.problems).toHaveLength(names.length);
    expect(refused.problems[0]).toMatch(words);

    // The message ends with the entry to paste; only the reason is the reader's.
    const proposed = refused.problems.map((line) => /\{.*\}$/.exec(line)?.[0] ?? "");
    expect(proposed.map((entry) => JSON.parse(entry) as unknown)).toEqual(
      names.map((name) => ({ ...name, why: "<why>", date: TODAY })),
    );
    const pasted = formatLock(LOCK).replace('"allow": []', `"allow": [${proposed.join(", ")}]`);
    expect(() => parseLock(pasted)).toThrow("allow.0.why: must say why");
    const { allow } = parseLock(pasted.replaceAll("<why>", "nobody reads it"));

    const allowed = check(edits, allow);
    expect(allowed.problems).toEqual([]);
    expect(allowed.news.filter((line) => line.startsWith("allowed: "))).toHaveLength(names.length);
    // Once taken into the lock its force is spent, and the record stays.
    expect(allowed.next).toMatchObject({ allow: [], history: allow });
  });

  it("comes all at once, and additions do not hide it", () => {
    const { problems, news } = check([
      [CODE, ""],
      ["decimal(10,2)", "decimal(9,2)"],
      [CHANGED, `${CHANGED}\n          - {name: note, data_type: text}`],
    ]);
    expect(problems).toHaveLength(2);
    expect(news).toEqual(["new: STAGE.ORDERS.NOTE, VARCHAR(16777216)"]);
  });

  it("is not covered by an entry for another type, column or table, which is refused itself", () => {
    const allow: readonly Allowance[] = [
      { change: "narrow-type", table: "STAGE.ORDERS", column: "CODE", to: "VARCHAR(18)", why: "short", date: TODAY },
      { change: "drop-column", table: "STAGE.BILLS", column: "CODE", why: "gone", date: TODAY },
    ];
    const { problems, next } = check([["varchar(20)", "varchar(19)"]], allow);
    expect(problems).toHaveLength(3);
    expect(problems[1]).toMatch(
      /^"allow" has an entry for nothing that the manifest changes.*Take it out: \{"change": "narrow-type"/,
    );
    expect(next.history).toEqual([]);
  });

  it("follows a renamed column into the key", () => {
    const edits = [
      ["name: id,", "name: number,"],
      ["primary_key: [id]", "primary_key: [number]"],
    ] as const;
    expect(check(edits).problems).toEqual([expect.stringMatching(/^STAGE\.ORDERS\.ID is now named NUMBER/)]);
  });
});

describe("the file", () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "novadrive-lock-"));
    file = join(folder, "manifest.lock.json");
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it("is read as it was written, and written the same again", () => {
    const allow: readonly Allowance[] = [
      { change: "drop-column", table: "STAGE.ORDERS", column: "CODE", why: 'said "so"', date: TODAY },
    ];
    const text = formatLock({ ...LOCK, allow, history: allow });
    expect(parseLock(text)).toEqual({ about: expect.any(String), ...LOCK, allow, history: allow });
    expect(formatLock(parseLock(text))).toBe(text);
    expect(text).toContain('\n        {"name": "CODE", "type": "VARCHAR(20)", "nullable": true},\n');
  });

  it("is made where there is none, left alone while nothing changes, and grows with the manifest", () => {
    expect(updateLock({ file, manifest, today: TODAY, write: true })).toEqual({
      status: "written",
      news: ["new: table STAGE.ORDERS"],
    });
    expect(updateLock({ file, manifest, today: TODAY, write: true })).toEqual({ status: "same", news: [] });
    const grown = manifestOf(BEFORE.replace(CHANGED, `${CHANGED}\n          - {name: note, data_type: text}`));
    expect(updateLock({ file, manifest: grown, today: TODAY, write: false }).status).toBe("outdated");
    expect(readFileSync(file, "utf8")).not.toContain("NOTE");
    expect(updateLock({ file, manifest: grown, today: TODAY, write: true }).status).toBe("written");
    expect(updateLock({ file, manifest: grown, today: TODAY, write: false }).status).toBe("same");
    expect(updateLock({ file, manifest, today: TODAY, write: true })).toEqual({
      status: "refused",
      message: expect.stringContaining("STAGE.ORDERS.NOTE is gone"),
    });
  });

  it("stops the infrastructure program before its first resource where something would be lost", () => {
    writeFileSync(file, formatLock(LOCK));
    expect(() => guardManifest({ file, manifest, today: TODAY })).not.toThrow();
    const shrunk = manifestOf(BEFORE.replace(CODE, ""));
    expect(() => guardManifest({ file, manifest: shrunk, today: TODAY })).toThrow(
      /^sql\/manifest\.lock\.json does not let this manifest pass, so nothing was done:\n {2}- STAGE\.ORDERS\.CODE is gone[^\n]*\nWhat is meant is allowed by an entry in "allow" of that file, with its reason; then run npm run manifest:lock\.$/,
    );
  });

  it("must be there for the infrastructure program", () => {
    expect(() => guardManifest({ file, manifest, today: TODAY })).toThrow(
      /^sql\/manifest\.lock\.json is not there, .*\nBring it back \(git checkout -- sql\/manifest\.lock\.json\); .*npm run manifest:lock$/,
    );
  });

  it.each([
    ["{", /is no JSON/],
    ["<<<<<<< HEAD\n{}", /is no JSON/],
    ['{"tables": []}', /tables: /],
    [
      '{"tables": {}, "allow": [{"change": "drop", "table": "T", "why": "so it is", "date": "2026-01-31"}]}',
      /allow\.0\.change: /,
    ],
    [
      '{"tables": {}, "allow": [{"change": "drop-table", "table": "T", "why": " ", "date": "2026-01-31"}]}',
      /allow\.0\.why: must say why/,
    ],
    [
      '{"tables": {}, "allow": [{"change": "drop-table", "table": "T", "why": "so it is", "date": "2026-02-31"}]}',
      /allow\.0\.date: must be a day such as/,
    ],
    ['{"tables": {}, "allow": [{"change": "drop-table", "table": "T", "why": "so it is"}]}', /allow\.0\.date: /],
  ])("that cannot be used is refused: %s", (text, words) => {
    writeFileSync(file, text);
    for (const use of [
      () => guardManifest({ file, manifest, today: TODAY }),
      () => updateLock({ file, manifest, today: TODAY, write: true }),
    ]) {
      expect(use).toThrow(words);
      expect(use).toThrow(/^sql\/manifest\.lock\.json cannot be used:\n/);
    }
    expect(readFileSync(file, "utf8")).toBe(text);
  });
});
