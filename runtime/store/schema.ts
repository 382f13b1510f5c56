/** The history's tables, as steps from one `user_version` to the next; a released step is never edited. */

/** Times are ISO 8601 in UTC with milliseconds, so that text order is time order; errors are ErrorReport as JSON. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE batches (
    id INTEGER PRIMARY KEY,
    trigger TEXT NOT NULL,
    status TEXT NOT NULL,
    snapshot TEXT,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    seconds REAL,
    error TEXT
  ) STRICT;

  -- The same attempt may stand here twice: a load that starts again counts its tasks anew.
  CREATE TABLE task_attempts (
    id INTEGER PRIMARY KEY,
    batch_id INTEGER NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    status TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    seconds REAL,
    rows INTEGER,
    bytes INTEGER,
    error TEXT
  ) STRICT;
  CREATE INDEX task_attempts_by_batch ON task_attempts (batch_id, id);

  CREATE TABLE table_results (
    batch_id INTEGER NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    mode TEXT NOT NULL,
    status TEXT NOT NULL,
    at TEXT NOT NULL,
    seconds REAL NOT NULL,
    rows_read INTEGER NOT NULL,
    inserted INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    rows_total INTEGER,
    bytes INTEGER NOT NULL,
    error TEXT,
    PRIMARY KEY (batch_id, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX table_results_by_name ON table_results (name, status, batch_id);

  CREATE INDEX table_results_changed ON table_results (name, batch_id)
    WHERE status = 'success' AND inserted + updated + deleted > 0;

  CREATE TABLE model_results (
    batch_id INTEGER NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    materialized TEXT,
    status TEXT NOT NULL,
    at TEXT NOT NULL,
    seconds REAL NOT NULL,
    rows INTEGER,
    error TEXT,
    PRIMARY KEY (batch_id, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE test_results (
    batch_id INTEGER NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    at TEXT NOT NULL,
    seconds REAL NOT NULL,
    failures INTEGER NOT NULL,
    error TEXT,
    PRIMARY KEY (batch_id, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE logs (
    id INTEGER PRIMARY KEY,
    batch_id INTEGER NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    at TEXT NOT NULL,
    level TEXT NOT NULL,
    task TEXT,
    message TEXT NOT NULL
  ) STRICT;
  CREATE INDEX logs_by_batch ON logs (batch_id, id);

  CREATE TABLE ticks (
    schedule TEXT PRIMARY KEY,
    tick TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- What the batch used of a warehouse that is billed by use; NULL where nothing is.
  ALTER TABLE batches ADD COLUMN statements INTEGER;
  ALTER TABLE batches ADD COLUMN warehouse_seconds REAL;
  ALTER TABLE batches ADD COLUMN bytes_staged INTEGER;
  ALTER TABLE batches ADD COLUMN rows_staged INTEGER;
  ALTER TABLE batches ADD COLUMN credits REAL;

  -- Where nothing is new, models and tests are skipped: what they last came to lies further back.
  CREATE INDEX model_results_run ON model_results (name, batch_id) WHERE status <> 'skipped';
  CREATE INDEX test_results_run ON test_results (name, batch_id) WHERE status <> 'skipped';
  `,
  `
  -- Values that did not fit and were let through: an object of counts by column, NULL where there were none.
  ALTER TABLE table_results ADD COLUMN misfits TEXT;
  `,
  `
  -- What verifications found, table by table. Equal: the stage table was proven at that time.
  CREATE TABLE verifications (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    name TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    equal INTEGER NOT NULL,
    rows_source INTEGER NOT NULL,
    rows_stage INTEGER NOT NULL,
    rows_changed_since INTEGER NOT NULL,
    seconds REAL NOT NULL,
    differences TEXT NOT NULL
  ) STRICT;
  CREATE INDEX verifications_by_name ON verifications (name, id);
  `,
  `
  -- What the batch warned of: Warning[] as JSON, NULL where there was nothing.
  ALTER TABLE batches ADD COLUMN warnings TEXT;
  `,
  `
  -- Rows that the source has deleted, of a table whose deletes are left to verifications.
  ALTER TABLE verifications ADD COLUMN deletes_deferred INTEGER NOT NULL DEFAULT 0;
  `,
];
