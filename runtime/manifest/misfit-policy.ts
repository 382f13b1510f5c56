/** A column's `on_misfit`: read from the file, and held against the rest of the column. */
import { isScalar } from "yaml";
import type { YamlFile } from "../core/yaml-file.ts";
import type { MisfitPolicy } from "./manifest.ts";
import type { WarehouseType } from "./warehouse-type.ts";

interface PolicyContext {
  /** As validated: null for YAML's `null`, but also for a key without a value. */
  readonly given: "fail" | "text" | "null" | null | undefined;
  readonly name: string;
  readonly dataType: string;
  /** Undefined where `dataType` is none. */
  readonly type: WarehouseType | undefined;
  readonly mayBeNull: boolean;
}

interface Policy {
  readonly onMisfit?: MisfitPolicy | undefined;
  readonly complaint?: string | undefined;
}

/** @param path of the setting in the file */
export function readMisfitPolicy(yaml: YamlFile, path: readonly PropertyKey[], context: PolicyContext): Policy {
  const { given, name, dataType, type, mayBeNull } = context;
  if (given === undefined || given === "fail") return {};
  if (given === null && !saysNull(yaml, path)) {
    return { complaint: `on_misfit of "${name}" has no value; write fail, text or null` };
  }
  if (given === "text") {
    if (type === undefined || type.kind === "varchar") return { onMisfit: "text" };
    return {
      complaint: `on_misfit: text of "${name}" keeps values as text, which ${dataType} is not; write data_type: text`,
    };
  }
  if (mayBeNull) return { onMisfit: "null" };
  return {
    complaint: `on_misfit: null of "${name}" needs a column that may be NULL; take its constraint not_null out, or do not use it in a key`,
  };
}

/** Whether somebody wrote the word: a key that was left empty must not turn values into NULL. */
function saysNull(yaml: YamlFile, path: readonly PropertyKey[]): boolean {
  const node: unknown = yaml.document.getIn(path, true);
  return isScalar(node) && node.source !== undefined && /^null$/i.test(node.source);
}
