/** What the contract suite needs of a warehouse under test, and the staged files that it writes. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { StagedFile } from "../../runtime/core/staged-file.ts";
import type { Manifest, ManifestTable } from "../../runtime/manifest/manifest.ts";
import type {
  Incoming,
  IncomingPurpose,
  PublishedTable,
  TablePublication,
  Warehouse,
} from "../../runtime/warehouse/warehouse.ts";

export interface WarehouseFixture extends AsyncDisposable {
  readonly warehouse: Warehouse;
  /** Closes the warehouse and opens it again, as the next process would. */
  reopen(): Promise<Warehouse>;
  /** Makes stage tables where the infrastructure program does it (`capabilities.managesStageTables` is false). */
  makeStageTables(manifest: Manifest): Promise<void>;
}

/** A cell of a staged file: `null` is NULL, text is quoted as COPY does with FORCE_QUOTE, everything else is as it is. */
export type Cell = null | number | string | { readonly raw: string };

export const raw = (text: string): Cell => ({ raw: text });

function cellText(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  return typeof cell === "string" ? `"${cell.replaceAll('"', '""')}"` : cell.raw;
}

export const csv = (rows: readonly (readonly Cell[])[]): string =>
  rows.map((row) => `${row.map(cellText).join(",")}\n`).join("");

export interface Staged {
  readonly purpose?: IncomingPurpose | undefined;
  /** Each in a file of its own. */
  readonly files: readonly (readonly (readonly Cell[])[])[];
}

export type Change = Partial<Omit<TablePublication, "table" | "rows" | "keys">> & {
  readonly table: ManifestTable;
  readonly rows: readonly (readonly Cell[])[];
  /** All keys of the source; `rows` if the rows are all of them. */
  readonly keys?: readonly (readonly Cell[])[] | "rows" | undefined;
};

type Written = Pick<StagedFile, "rows" | "longestRow"> & { readonly text: string | Buffer; readonly name: string };

const longest = (rows: readonly (readonly Cell[])[]): number =>
  Math.max(0, ...rows.map((row) => Buffer.byteLength(csv([row]))));

/** Numbers batches and writes staged files for one warehouse. */
export class Batches implements AsyncDisposable {
  readonly #folder: string;
  warehouse: Warehouse;
  lastId = 0;
  #files = 0;

  private constructor(warehouse: Warehouse, folder: string) {
    this.warehouse = warehouse;
    this.#folder = folder;
  }

  static async for(warehouse: Warehouse): Promise<Batches> {
    return new Batches(warehouse, await mkdtemp(join(tmpdir(), "novadrive-contract-")));
  }

  async file(text: string, rows: number, longestRow = Buffer.byteLength(text)): Promise<StagedFile> {
    return this.#write({ text, rows, longestRow, name: "csv" });
  }

  async #write({ text, name, ...counts }: Written): Promise<StagedFile> {
    const path = join(this.#folder, `${++this.#files}.${name}`);
    await writeFile(path, text);
    return { path, ...counts, bytes: Buffer.byteLength(text) };
  }

  async take(table: ManifestTable, { purpose = "rows", files }: Staged): Promise<Incoming> {
    const incoming = await this.warehouse.openIncoming(this.lastId + 1, table, purpose);
    const staged = await Promise.all(files.map((rows) => this.file(csv(rows), rows.length, longest(rows))));
    await Promise.all(staged.map((file) => incoming.add(file)));
    return incoming;
  }

  /** Takes in, seals and publishes as one batch. */
  async publish(...changes: readonly Change[]): Promise<readonly PublishedTable[]> {
    const id = this.lastId + 1;
    const tables: TablePublication[] = [];
    for (const { table, rows, keys, ...rest } of changes) {
      const incoming = await this.take(table, { files: [rows] });
      await incoming.seal();
      let keyed: Incoming | undefined = keys === "rows" ? incoming : undefined;
      if (keys !== undefined && keys !== "rows") {
        keyed = await this.take(table, { purpose: "keys", files: [keys] });
        await keyed.seal();
      }
      const watermark = { batchId: id, cursor: null, cursorColumn: null, fence: {} };
      tables.push({ table, action: "merge", watermark, ...rest, rows: incoming, keys: keyed });
    }
    const published = await this.warehouse.publish({ batch: this.batch(id), tables });
    this.lastId = id;
    return published;
  }

  batch(id: number) {
    return { id, uuid: randomUUID(), snapshot: snapshotOf(id), startedAt: new Date(Date.UTC(2025, 0, 1)) };
  }

  async gzipped(rows: readonly (readonly Cell[])[]) {
    return this.#write({
      text: gzipSync(csv(rows)),
      rows: rows.length,
      longestRow: longest(rows),
      name: "csv.gz",
    });
  }

  /** Rows of a query. */
  async rows(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    return (await this.warehouse.query(sql)).rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Snapshot of a batch, with microseconds. */
export function snapshotOf(batchId: number): string {
  return `2025-01-01T00:${String(batchId).padStart(2, "0")}:00.123456Z`;
}
