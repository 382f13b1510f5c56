/** The process in which SQL is translated: one JSON document a line in, one a line out, until its input ends. */
import { createInterface } from "node:readline";
import { translateStatements, type Translation } from "./translate-statement.ts";

interface TranslationRequest {
  readonly id: number;
  readonly sql: string;
}

export interface TranslationReply {
  readonly id: number;
  readonly translation: Translation;
}

// Ctrl-C reaches every process of the terminal; the batch may still need this one to finish. The end of its input ends it.
process.on("SIGINT", () => undefined);

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const request: TranslationRequest = JSON.parse(line);
  const reply: TranslationReply = { id: request.id, translation: translate(request.sql) };
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

function translate(sql: string): Translation {
  try {
    return translateStatements(sql);
  } catch (thrown) {
    return { ok: false, message: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}
