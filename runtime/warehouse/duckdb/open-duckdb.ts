/** Opens a DuckDB file as the warehouse. */
import { constants } from "node:fs";
import { access, mkdir, realpath } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { NovaError } from "../../core/errors.ts";
import type { Warehouse } from "../warehouse.ts";
import { DuckDbWarehouse } from "./duckdb-warehouse.ts";
import { Engine } from "./engine.ts";
import { readEngineError, resourceError } from "./engine-error.ts";
import { installMacros } from "./macros.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { Translator } from "./translate/translator.ts";

export interface OpenDuckDbOptions {
  /** Path of the database file, created if it does not exist; its folder too. `:memory:` for none. */
  readonly file: string;
  /** Where DuckDB puts what does not fit into memory; the default is `<file>.tmp`. */
  readonly temporaryFolder?: string | undefined;
  /** Megabytes that DuckDB may use for models and queries; loading uses less. The process needs some 150 MB beside it. */
  readonly memoryLimitMb?: number | undefined;
  /** The default is the machine's, at most 4. */
  readonly threads?: number | undefined;
  /** Where translated SQL is kept for the next process; nowhere, if absent. */
  readonly cacheFolder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const IN_MEMORY = ":memory:";
const DEFAULT_MEMORY_MB = 512;
const MAX_DEFAULT_THREADS = 4;
/** Each thread of a CSV reader holds buffers and a row group under construction. */
const LOAD_MEMORY_MB_PER_THREAD = 48;
const MIN_LOAD_MEMORY_MB = 96;
/**
 * Bytes of the log from which on a commit moves it into the tables. Files of wide rows hold less than a row group (122,880 rows), which goes into
 * the log; with DuckDB's own 16 MB, each file's commit would compress that row group again. 500,000 rows of 50 columns: 14 s of processor time
 * instead of 22 s, with at most 1.2 GB of disk. What a killed process leaves of it takes 3 s to read and the memory that queries have.
 */
const CHECKPOINT_THRESHOLD = "512MiB";

/** Files that this process has open: DuckDB's own lock only keeps other processes out. */
const openFiles = new Set<string>();

/**
 * @throws NovaError WAREHOUSE_LOCKED if the file is open elsewhere, FOLDER_NOT_WRITABLE, WAREHOUSE_UNREACHABLE if it is no DuckDB file,
 * WAREHOUSE_FULL
 */
export async function openDuckDb(options: OpenDuckDbOptions): Promise<Warehouse> {
  options.signal?.throwIfAborted();
  const inMemory = options.file === IN_MEMORY;
  const file = inMemory ? IN_MEMORY : await usablePath(options.file);
  if (!inMemory) reserve(file);
  try {
    const threads = options.threads ?? Math.min(availableParallelism(), MAX_DEFAULT_THREADS);
    const query = options.memoryLimitMb ?? DEFAULT_MEMORY_MB;
    const load = Math.min(query, Math.max(MIN_LOAD_MEMORY_MB, LOAD_MEMORY_MB_PER_THREAD * threads));
    const temporary =
      options.temporaryFolder ?? (inMemory ? join(tmpdir(), `novadrive-${process.pid}`) : `${file}.tmp`);
    const engine = new Engine(await create(file, { threads, query, temporary }));
    const memory = new MemoryBudget({ engine, threads, load, query });
    try {
      await memory.lower();
      await installMacros(engine);
      options.signal?.throwIfAborted();
    } catch (thrown) {
      await engine[Symbol.asyncDispose]();
      throw thrown;
    }
    const translator = new Translator(options.cacheFolder);
    return new DuckDbWarehouse({ engine, memory, threads, translator, onClose: () => openFiles.delete(file) });
  } catch (thrown) {
    openFiles.delete(file);
    throw thrown;
  }
}

/** The folder is made if need be; links are followed, so that two names of one file are seen to be one. */
async function usablePath(file: string): Promise<string> {
  const folder = dirname(resolve(file));
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (thrown) {
    const reason = thrown instanceof Error && "code" in thrown ? ` (${String(thrown.code)})` : "";
    throw new NovaError("FOLDER_NOT_WRITABLE", `The warehouse's folder ${folder} cannot be written${reason}.`, {
      cause: thrown,
      remedy: "Give the user write access to it, or name another file in NOVADRIVE_WAREHOUSE_URL.",
      details: { folder },
    });
  }
  const path = join(await realpath(folder), basename(file));
  return realpath(path).catch(() => path);
}

function reserve(file: string): void {
  if (openFiles.has(file)) {
    throw new NovaError("WAREHOUSE_LOCKED", `This process has the warehouse file ${file} open already.`, {
      remedy: "Wait until the batch that uses it is over.",
      details: { file, pid: process.pid },
    });
  }
  openFiles.add(file);
}

interface Settings {
  readonly threads: number;
  readonly query: number;
  readonly temporary: string;
}

async function create(file: string, { threads, query, temporary }: Settings): Promise<DuckDBInstance> {
  try {
    return await DuckDBInstance.create(file, {
      threads: String(threads),
      memory_limit: `${query}MB`,
      temp_directory: temporary,
      checkpoint_threshold: CHECKPOINT_THRESHOLD,
      preserve_insertion_order: "false",
      // Snowflake sorts NULL as the highest value: https://docs.snowflake.com/en/sql-reference/constructs/order-by
      default_null_order: "NULLS_LAST_ON_ASC_FIRST_ON_DESC",
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
    });
  } catch (thrown) {
    throw openingError(thrown, file);
  }
}

function openingError(thrown: unknown, file: string): NovaError {
  const error = readEngineError(thrown);
  const { text, summary } = error.facts;
  if (/could not set lock|conflicting lock/i.test(text)) {
    const pid = /PID (\d+)/.exec(text)?.[1];
    const holder = pid === undefined ? "another process" : `process ${pid}`;
    return new NovaError("WAREHOUSE_LOCKED", `The warehouse file ${file} is open in ${holder}.`, {
      cause: error,
      remedy:
        pid === undefined
          ? "Close what has it open (a DuckDB shell, another novadrive), then run again."
          : `See what it is with \`ps -p ${pid}\`, close it, then run again.`,
      details: { file, ...(pid === undefined ? {} : { pid: Number(pid) }) },
    });
  }
  if (/permission denied|read-only file system/i.test(text)) {
    return new NovaError("FOLDER_NOT_WRITABLE", `The warehouse file ${file} cannot be written: ${summary}`, {
      cause: error,
      details: { file },
    });
  }
  const full = resourceError(error, "opening the warehouse");
  if (full?.code === "WAREHOUSE_FULL") return full;
  return new NovaError("WAREHOUSE_UNREACHABLE", `The warehouse file ${file} cannot be opened: ${summary}`, {
    cause: error,
    remedy: "Name another file in NOVADRIVE_WAREHOUSE_URL, or move this one away: the next batch makes a new one.",
    details: { file },
  });
}
