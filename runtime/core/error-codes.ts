/** The one table of errors: at once the type, the exit status, whether to retry, and the source of docs/errors.md. */

export interface ErrorCode {
  /** What happened, as one sentence for the reference page. */
  readonly summary: string;
  /** What the reader should do, when the place that throws has nothing more specific to say. */
  readonly remedy: string;
  /** 1: something in the batch failed. 2: wrong usage or configuration. */
  readonly exit: 1 | 2;
  /** Whether the same work, done again a little later, may well succeed. */
  readonly transient: boolean;
  /** Set where it takes the whole load again, because the snapshot that all its tasks read is gone. */
  readonly restartsLoad?: true;
}

const failure = (summary: string, remedy: string): ErrorCode => ({ summary, remedy, exit: 1, transient: false });
const passing = (summary: string, remedy: string): ErrorCode => ({ summary, remedy, exit: 1, transient: true });
const misuse = (summary: string, remedy: string): ErrorCode => ({ summary, remedy, exit: 2, transient: false });

export const ERROR_CODES = {
  // Usage and configuration
  USAGE_INVALID: misuse("The command line has an unknown command, flag or value.", "Run the command with --help."),
  CONFIG_INVALID: misuse("A setting has a value that cannot be used.", "Correct the setting that the message names."),
  NOT_AVAILABLE: misuse("The command or setting is not part of this version.", "Use what the message offers instead."),
  FOLDER_NOT_WRITABLE: misuse(
    "A folder cannot be created or written.",
    "Give the user write access, or choose another folder.",
  ),
  PORT_IN_USE: misuse("Another process listens on the port.", "Stop that process, or choose another port with --port."),
  SECRET_UNREACHABLE: passing(
    "AWS Secrets Manager did not answer when a setting's secret was read.",
    "Check that this machine reaches secretsmanager.<region>.amazonaws.com, port 443.",
  ),
  NODE_UNSUPPORTED: misuse("This Node.js is too old.", "Use Node.js 24 or newer; `npm run` scripts bring their own."),
  INTERNAL: failure(
    "Something that should be impossible happened.",
    "Report it with the message and the stack from the log.",
  ),

  // Manifest
  MANIFEST_MISSING: misuse(
    "There is no manifest where the project should have one.",
    "Run `novadrive introspect --write`.",
  ),
  MANIFEST_INVALID: misuse("The manifest breaks a rule of its schema.", "Correct the line that the message names."),

  // Status page
  UI_UNPROTECTED: misuse(
    "The status page was to listen beyond this machine without a login or without TLS.",
    "Set NOVADRIVE_UI_PASSWORD_HASH, NOVADRIVE_UI_TLS_CERT and NOVADRIVE_UI_TLS_KEY, or leave NOVADRIVE_HOST at 127.0.0.1.",
  ),
  LOGIN_REQUIRED: misuse("The status page was asked for something by nobody who is logged in.", "Log in at /login."),
  REQUEST_REFUSED: misuse(
    "A request to the status page came from another site, or under a name that is not this machine's.",
    "Open the page at the address that the program printed.",
  ),

  // Source (PostgreSQL)
  SOURCE_UNREACHABLE: passing(
    "No connection to PostgreSQL could be made, or it broke.",
    "Check host, port, firewall and that the server runs.",
  ),
  SOURCE_AUTH_FAILED: failure(
    "PostgreSQL refused the user or the password.",
    "Correct the user and password in NOVADRIVE_SOURCE_URL.",
  ),
  SOURCE_TLS_FAILED: failure(
    "The encrypted connection to PostgreSQL could not be made.",
    "Set sslmode and sslrootcert in NOVADRIVE_SOURCE_URL.",
  ),
  SOURCE_DATABASE_MISSING: failure(
    "The database in the source URL does not exist.",
    "Correct the database name in NOVADRIVE_SOURCE_URL.",
  ),
  SOURCE_VERSION_UNSUPPORTED: failure(
    "The PostgreSQL server is older than version 14.",
    "Upgrade the source, or read from a newer replica.",
  ),
  SOURCE_TABLE_MISSING: failure(
    "A table of the manifest does not exist in the source.",
    "Create it, or take it out of the manifest.",
  ),
  SOURCE_COLUMN_MISSING: failure(
    "A column of the manifest does not exist in the source table.",
    "Run `novadrive introspect` to see the difference.",
  ),
  SOURCE_TYPE_MISMATCH: failure(
    "A source column holds values that its type in the manifest cannot hold exactly.",
    "Widen data_type in the manifest.",
  ),
  SOURCE_KEY_MISSING: failure(
    "The columns of primary_key are not a unique key of the source table.",
    "Name the table's real key, or use mode: full_refresh.",
  ),
  SOURCE_CURSOR_MISSING: failure(
    "The cursor column does not exist in the source table.",
    "Correct sync.cursor in the manifest.",
  ),
  SOURCE_DETECT_IMPOSSIBLE: failure(
    "The changes of a source table cannot be found in the way that the manifest asks for.",
    "Name a cursor, or use mode: full_refresh.",
  ),
  SOURCE_PERMISSION: failure("The user may not read a source table.", "GRANT SELECT on the table to the user."),
  SOURCE_VALUE_INVALID: failure(
    "A source value does not fit its column in the manifest.",
    "Widen data_type in the manifest, or correct the row.",
  ),
  SOURCE_LOCK_TIMEOUT: passing(
    "A source table was locked for longer than the loader waits.",
    "Run again when the schema change that holds the lock is over.",
  ),
  SOURCE_SNAPSHOT_LOST: {
    ...passing(
      "The source ended the snapshot that the batch was reading.",
      "Run again; the next batch opens a new snapshot.",
    ),
    restartsLoad: true,
  },
  SOURCE_SNAPSHOT_LIMIT: failure(
    "The snapshot of the source was held for as long as it may be, and not all was read.",
    "Read faster, or less at a time, or raise NOVADRIVE_SNAPSHOT_LIMIT.",
  ),
  SOURCE_QUERY_FAILED: failure(
    "PostgreSQL refused a statement of the loader.",
    "Read PostgreSQL's own message, which is quoted.",
  ),

  // Warehouse
  WAREHOUSE_UNREACHABLE: passing("The warehouse could not be opened.", "Check NOVADRIVE_WAREHOUSE_URL."),
  WAREHOUSE_LOCKED: passing(
    "Another process has the warehouse file open.",
    "Close it (a DuckDB shell, another novadrive), then run again.",
  ),
  WAREHOUSE_SCHEMA_MISMATCH: failure(
    "A stage table differs from the manifest in a way that the loader will not change by itself.",
    "See the difference in the message.",
  ),
  WAREHOUSE_VALUE_INVALID: failure(
    "The warehouse refused a value.",
    "Widen data_type in the manifest, or correct the row in the source.",
  ),
  WAREHOUSE_FULL: failure(
    "The warehouse ran out of disk or memory.",
    "Free space where the warehouse and its temporary files live.",
  ),
  WAREHOUSE_AUTH_FAILED: failure(
    "The warehouse refused the login.",
    "Correct what the message names: the user, its key or workload identity, the account, the network policy.",
  ),
  WAREHOUSE_PERMISSION: failure("The warehouse's role lacks a privilege.", "Run the GRANT that the message shows."),
  WAREHOUSE_OBJECT_MISSING: failure(
    "A database, warehouse, schema or table does not exist, or the role may not see it.",
    "Run `pulumi up`, or the GRANT that the message shows.",
  ),
  WAREHOUSE_SUSPENDED: failure(
    "The warehouse is suspended and does not resume by itself.",
    "ALTER WAREHOUSE … SET AUTO_RESUME = TRUE, or resume it.",
  ),
  WAREHOUSE_QUOTA: failure(
    "A limit of the account stopped the warehouse: a resource monitor, a trial's credits, a size.",
    "Raise the limit that the message names, or wait for its next period.",
  ),
  WAREHOUSE_TIMEOUT: passing(
    "A statement took longer than the warehouse lets it, or waited too long for a lock or a place.",
    "Look in the query history for what it waited for; a larger warehouse or smaller steps help.",
  ),
  WAREHOUSE_CONFLICT: passing(
    "Two transactions of the warehouse wanted the same rows, and this one gave way.",
    "Run again; see that nothing else writes to the tables.",
  ),
  WAREHOUSE_QUERY_FAILED: failure(
    "The warehouse refused a statement.",
    "Read the warehouse's own message, which is quoted.",
  ),

  // Load
  STAGING_FAILED: failure(
    "A file of rows on its way to the warehouse cannot be written.",
    "Free disk space under NOVADRIVE_STATE_DIR, or move it to a larger disk.",
  ),
  LOAD_ROWS_LOST: failure(
    "The warehouse counted other rows than were read from the source.",
    "Run again; report it if it happens twice.",
  ),
  LOAD_KEY_DUPLICATE: failure(
    "Rows to be merged share one primary key.",
    "Correct primary_key in the manifest: it must be unique in the source.",
  ),
  LOAD_KEY_NULL: failure(
    "A row to be merged has NULL in its primary key.",
    "Correct primary_key in the manifest: its columns must not be NULL.",
  ),
  LOAD_KEY_CHANGED: failure(
    "The primary key of a table has changed, and its stage table keeps rows that the source has deleted.",
    "Load the table anew: `novadrive run --full-refresh --table <name>`.",
  ),
  TABLE_UNKNOWN: misuse(
    "--table names a table that is not in the manifest.",
    "Use one of the names that the message lists.",
  ),

  // Verification
  VERIFY_NOT_LOADED: failure(
    "A table was to be verified before any batch has loaded it.",
    "Run `novadrive run` first, or name other tables with --table.",
  ),
  VERIFY_NOT_REPAIRABLE: failure(
    "A stage table has rows that only loading it anew would put right, and rows that this would lose.",
    "Take the rows that stand there twice out by hand, or load the table anew with `novadrive run --full-refresh --table <name>`.",
  ),
  VERIFY_UNEQUAL: failure(
    "A stage table differs from its source.",
    "Run `novadrive verify` to see where, and `novadrive verify --repair` to load the tables that differ anew.",
  ),

  // Project and models
  PROJECT_MISSING: misuse(
    "There is no dbt_project.yml in the project folder.",
    "Set NOVADRIVE_PROJECT_DIR to the folder that has it.",
  ),
  PROJECT_INVALID: misuse("A project file cannot be read.", "Correct the line that the message names."),
  MODEL_DUPLICATE: misuse("Two models share one name.", "Rename one of the files."),
  MODEL_REF_MISSING: misuse(
    "A model refers to a model or source that does not exist.",
    "Correct the name in ref() or source().",
  ),
  MODEL_CYCLE: misuse("Models refer to each other in a circle.", "Break the circle that the message shows."),
  MODEL_COMPILE_FAILED: misuse("A template cannot be compiled.", "Correct the line that the message names."),
  MODEL_SQL_FAILED: failure(
    "The warehouse refused the SQL of a model or test.",
    "Correct the line that the message names.",
  ),
  MODEL_SCHEMA_CHANGED: failure(
    "An incremental model has other columns than its table.",
    "Build it once with --full-refresh.",
  ),
  SELECTION_EMPTY: misuse("--select matches nothing.", "Run `novadrive compile` to see the names."),
  TEST_FAILED: failure(
    "A data test found rows that break its rule.",
    "Read the rows with the SQL that the message names.",
  ),

  // Schedule and runs
  BATCH_RUNNING: failure(
    "Another batch runs at this moment.",
    "Wait until it is over, or stop the process that the message names.",
  ),
  TASK_TIMEOUT: passing(
    "A task took longer than its time limit.",
    "Raise NOVADRIVE_TASK_TIMEOUT, or see what it waits for.",
  ),
  BATCH_NUMBER_TAKEN: failure(
    "Another machine, or another state folder, has published a batch with this number or a later one.",
    "Nothing: the work goes on under the next free number.",
  ),
  BATCH_CANCELLED: failure(
    "The batch was told to stop, and was rolled back.",
    "Run again; nothing of it was published.",
  ),
  BATCH_ABANDONED: failure(
    "The process ended in the middle of the batch.",
    "Nothing to do: the warehouse holds whole batches only, and the next one goes on from the last.",
  ),
  BATCH_UNKNOWN: misuse(
    "The run history has no such batch.",
    "Open / for the batches that it has; old ones are removed.",
  ),
  STORE_UNREADABLE: misuse("The run history cannot be opened.", "Move the file away; history is lost, data is not."),

  // Demo
  DEMO_RUNNING: failure("Another demo runs in the same folder.", "Stop it, or choose another folder with --dir."),
  DEMO_FOLDER_INVALID: misuse(
    "The demo's folder holds something that this version cannot go on with.",
    "Delete the folder, or choose another one with --dir; the demo makes its data again.",
  ),
  DEMO_SERVER_FAILED: failure(
    "The demo's own PostgreSQL could not be started or stopped.",
    "Read the server's log that the message names.",
  ),
} as const satisfies Record<string, ErrorCode>;

export type ErrorCodeName = keyof typeof ERROR_CODES;
