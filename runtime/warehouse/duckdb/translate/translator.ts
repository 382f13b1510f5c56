/** Translates SQL in a process of its own, and remembers what it has translated. */
import { spawn, spawnSync, type ChildProcessByStdio } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { NovaError } from "../../../core/errors.ts";
import { linePosition } from "../../sql-text.ts";
import type { Translation } from "./translate-statement.ts";
import { TranslationCache } from "./translation-cache.ts";
import type { TranslationReply } from "./translator-process.ts";

/**
 * The optimizing compiler costs more than it ever gives back: 100 translations take 0.3 s and 160 MB without it, 0.7 s and 900 MB with it.
 * Only the command line can turn it off: v8.setFlagsFromString comes too late.
 */
const COMMAND = ["--liftoff-only", `${import.meta.dirname}/translator-process.ts`];
/** The process is worth keeping while a batch runs, and its memory back once none does. */
const IDLE_SECONDS = 10;

type TranslatorProcess = ChildProcessByStdio<Writable, Readable, null>;

interface Pending {
  readonly resolve: (translation: Translation) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The SQL library is 23 MB of WebAssembly that makes a process grow by 200 to 800 MB (179 MB resident still after a worker thread with it has
 * ended), wants a compiler flag of its own (see COMMAND) and replaces `fetch` for everybody; so it lives in a process that
 * is started when the first unknown SQL comes (0.4 s) and ends after some idle seconds.
 */
export class Translator implements AsyncDisposable {
  readonly #cache: TranslationCache;
  readonly #pending = new Map<number, Pending>();
  #process: TranslatorProcess | undefined;
  #idle: NodeJS.Timeout | undefined;
  #lastId = 0;

  /** @param cacheFolder for translations that outlive this process; none are kept if absent */
  constructor(cacheFolder?: string) {
    this.#cache = new TranslationCache(cacheFolder);
  }

  /** @throws NovaError MODEL_SQL_FAILED with line and column of the given SQL */
  async translate(sql: string): Promise<readonly string[]> {
    const known = this.#cache.get(sql);
    if (known) return statementsOf(known, sql);
    const translation = await this.#ask(sql);
    this.#cache.set(sql, translation);
    return statementsOf(translation, sql);
  }

  /** As `translate`, but the whole process waits. */
  translateNow(sql: string): readonly string[] {
    const known = this.#cache.get(sql);
    if (known) return statementsOf(known, sql);
    const done = spawnSync(process.execPath, COMMAND, {
      input: `${JSON.stringify({ id: 0, sql })}\n`,
      env: environment(),
      encoding: "utf8",
      maxBuffer: Infinity,
    });
    if (done.status !== 0) throw stopped(done.stderr || String(done.error ?? done.signal));
    const reply: TranslationReply = JSON.parse(done.stdout);
    this.#cache.set(sql, reply.translation);
    return statementsOf(reply.translation, sql);
  }

  #ask(sql: string): Promise<Translation> {
    const child = (this.#process ??= this.#start());
    clearTimeout(this.#idle);
    setReferenced(child, true);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      child.stdin.write(`${JSON.stringify({ id, sql })}\n`);
    });
  }

  #start(): TranslatorProcess {
    const child = spawn(process.execPath, COMMAND, { stdio: ["pipe", "pipe", "inherit"], env: environment() });
    child.stdin.on("error", () => undefined);
    child.once("error", (error) => this.#ended(child, error.message));
    child.once("exit", (code, signal) => this.#ended(child, `exit ${code ?? signal}`));
    createInterface({ input: child.stdout, crlfDelay: Infinity }).on("line", (line) => {
      const reply: TranslationReply = JSON.parse(line);
      this.#pending.get(reply.id)?.resolve(reply.translation);
      this.#pending.delete(reply.id);
      if (this.#pending.size === 0) this.#rest(child);
    });
    return child;
  }

  /** Nothing to do: the process must not keep this one alive, and ends after a while. */
  #rest(child: TranslatorProcess): void {
    setReferenced(child, false);
    this.#idle = setTimeout(() => this.#stop(), IDLE_SECONDS * 1000).unref();
  }

  #stop(): TranslatorProcess | undefined {
    const child = this.#process;
    this.#process = undefined;
    clearTimeout(this.#idle);
    child?.stdin.end();
    return child;
  }

  #ended(child: TranslatorProcess, reason: string): void {
    if (this.#process === child) this.#process = undefined;
    if (this.#process) return;
    for (const { reject } of this.#pending.values()) reject(stopped(reason));
    this.#pending.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cache.save();
    const child = this.#stop();
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    setReferenced(child, true);
    await new Promise((resolve) => child.once("exit", resolve));
  }
}

/** What a program needs to start, and nothing of the settings, which hold passwords. */
function environment(): NodeJS.ProcessEnv {
  const { PATH, SystemRoot, LD_LIBRARY_PATH } = process.env;
  return { PATH, SystemRoot, LD_LIBRARY_PATH, NODE_NO_WARNINGS: "1" };
}

function setReferenced(child: TranslatorProcess, referenced: boolean): void {
  for (const handle of [child, child.stdin, child.stdout]) {
    const method: unknown = Reflect.get(handle, referenced ? "ref" : "unref");
    if (typeof method === "function") method.call(handle);
  }
}

function statementsOf(translation: Translation, sql: string): readonly string[] {
  if (translation.ok) return translation.statements;
  const place = translation.offset === undefined ? undefined : linePosition(sql, translation.offset);
  const where = place ? ` at line ${place.line}, column ${place.column}` : "";
  throw new NovaError("MODEL_SQL_FAILED", `The SQL cannot be read${where}: ${translation.message}`, {
    remedy: "Correct the SQL there; models are written in Snowflake's dialect.",
    details: { ...place },
  });
}

function stopped(reason: string): NovaError {
  return new NovaError("INTERNAL", `The process that translates SQL has stopped: ${reason.trim()}`);
}
