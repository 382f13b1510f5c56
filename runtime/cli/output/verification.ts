/** A verification's result as a person reads it at the end. */
import { formatCount, formatSeconds } from "../../core/format.ts";
import type { Difference, DifferingKey, Key, TableVerification, VerificationResult } from "../../core/verification.ts";
import { styleFor, type Style } from "./style.ts";
import { usageLine } from "./summary.ts";

/** Lines of one table's differences, and of its keys. */
const LINES = 10;

export function describeVerification(result: VerificationResult, stream: NodeJS.WriteStream): string {
  const style = styleFor(stream);
  const tables = result.tables.map((table) => describeTable(table, style));
  const repair = result.repair?.tables.map(
    ({ name, inserted, updated, deleted }) =>
      `${style.warn("repaired")} ${name}: ${formatCount(inserted)} inserted, ${formatCount(updated)} updated, ${formatCount(deleted)} deleted (batch ${result.repair?.batch_id})`,
  );
  const before = result.repair?.found.map((table) => describeTable(table, style)) ?? [];
  const parts = [...before, ...(repair ?? []), ...tables];
  const cost = result.usage ? `\n${style.dim(usageLine(result.usage))}` : "";
  return `\n${parts.join("\n")}\n\n${verdict(result, style)}${cost}\n`;
}

function describeTable(table: TableVerification, style: Style): string {
  const { name, rows_source, rows_stage, rows_changed_since, deletes_deferred, equal, differences, keys = [] } = table;
  const rows = `${formatCount(rows_stage)} of ${formatCount(rows_source)} rows`;
  const changed = rows_changed_since === 0 ? "" : style.dim(`, ${formatCount(rows_changed_since)} changed since`);
  const head = `${equal ? style.good("✓") : style.bad("✗")} ${name}  ${equal ? `${rows}, equal` : `${rows}, differs`}${changed}`;
  const deferred = deletes_deferred === undefined ? [] : [`    ${describeDeferred(deletes_deferred)}`];
  return [head, ...deferred, ...some(differences, describeDifference), ...some(keys, describeKey)].join("\n");
}

function describeDeferred(rows: number): string {
  const which =
    rows === 1 ? "1 row that the source has deleted is" : `${formatCount(rows)} rows that the source has deleted are`;
  return `${which} left here: with delete_check: verify, only a repair removes them`;
}

function some<T>(items: readonly T[], describe: (item: T) => string): string[] {
  const more = items.length > LINES ? [`    and ${formatCount(items.length - LINES)} more (--json shows them)`] : [];
  return [...items.slice(0, LINES).map(describe), ...more];
}

function describeDifference({ key_from, key_to, columns }: Difference): string {
  const where =
    key_from === null
      ? "in rows without a key that could be named"
      : shown(key_from) === shown(key_to)
        ? `key ${shown(key_from)}`
        : `keys ${shown(key_from)} to ${shown(key_to)}`;
  return `    ${where}: ${columns.join(", ")}`;
}

const WORDS: Readonly<Record<DifferingKey["is"], string>> = {
  changed: "differs",
  missing: "is missing from the stage table",
  extra: "is in the stage table only",
  twice: "stands more than once in the stage table",
};

function describeKey({ key, is, columns }: DifferingKey): string {
  return `    ${shown(key)} ${WORDS[is]}${is === "changed" ? ` in ${columns.join(", ")}` : ""}`;
}

function shown(key: Key): string {
  const text = typeof key === "object" && key !== null ? key.map(String).join(", ") : String(key);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function verdict({ equal, tables, seconds, snapshot }: VerificationResult, style: Style): string {
  const unequal = tables.filter((table) => !table.equal).length;
  const word = equal
    ? style.good(`${tables.length === 1 ? "The table equals" : `All ${tables.length} tables equal`} the source`)
    : style.bad(
        `${unequal} of ${tables.length} ${tables.length === 1 ? "table differs" : "tables differ"} from the source`,
      );
  const what = equal ? "" : "\nRun `novadrive verify --repair` to load what differs anew.";
  return `${style.strong(word)} · compared in ${formatSeconds(seconds)} with the source as of ${snapshot ?? "?"}${what}`;
}
