/** What a batch tells that stops nothing, but wants somebody's attention. Part of the document that `--json` prints. */

export interface Warning {
  /**
   * `column_new`: the source has columns that the manifest lacks. `column_left_out`: it has some that no stage table can take. `type_changed`: a
   * type of the manifest does not hold every value that the source's column may have. `column_nullable`: a column may be NULL in the source only.
   * `key_changed`: rows are told apart by other columns than before. `stage_column_left`: a stage table has columns that the manifest lacks.
   * `detection_changed`: changes of a table are found by its cursor from now on, no longer by a scan. `encoding`: the source checks no text.
   */
  readonly kind:
    | "column_new"
    | "column_left_out"
    | "type_changed"
    | "column_nullable"
    | "key_changed"
    | "stage_column_left"
    | "detection_changed"
    | "encoding";
  /** The manifest's name of the table; absent where it is about more than one. */
  readonly table?: string | undefined;
  readonly columns?: readonly string[] | undefined;
  readonly message: string;
  /** The command, setting or SQL that ends it. */
  readonly remedy: string;
}

/** As a line of the log. */
export const describeWarning = ({ message, remedy }: Warning): string => `${message} ${remedy}`;

/** `has a column "a"`, `has 2 columns "a", "b"`: names as the source writes them. */
export function namedColumns(names: readonly string[]): string {
  const all = names.map((name) => `"${name}"`).join(", ");
  return names.length === 1 ? `a column ${all}` : `${names.length} columns ${all}`;
}
