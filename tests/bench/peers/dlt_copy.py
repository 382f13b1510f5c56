"""One table from PostgreSQL into a new DuckDB file by dlt, as the bench's yardstick for another tool.

The only Python of this repository: dlt is a Python library, and is measured as its users run it.

    python dlt_copy.py <postgresql url> <table> <column to sum> <connectorx|pyarrow> <defaults|tuned> <new folder>

`defaults` leaves every setting as dlt has it; `tuned` has what was found to make it fastest here.

Prints one line of JSON: seconds of the pipeline (Python's start and imports are not in them), what the copy holds, and the peak memory.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

url, table, summed, backend, settings, folder = sys.argv[1:]
tuned = settings == "tuned"
place = Path(folder)

# Nothing is sent anywhere, and nothing of the user's own configuration is read.
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
os.environ["DLT_DATA_DIR"] = str(place / "dlt")
os.environ["DLT_PROJECT_DIR"] = str(place)
if tuned:
    # Files that are read once and thrown away need no compression.
    os.environ["DATA_WRITER__DISABLE_COMPRESSION"] = "true"
    os.environ["DATA_WRITER__COMPRESSION"] = "none"
    # Several files, so that several workers have something to load.
    os.environ["DATA_WRITER__FILE_MAX_ITEMS"] = "1000000"
    os.environ["LOAD__WORKERS"] = str(os.cpu_count() or 1)

import dlt  # noqa: E402
import duckdb  # noqa: E402
from dlt.sources.sql_database import sql_table  # noqa: E402

TUNED = {"chunk_size": 100_000, "reflection_level": "full_with_precision"}
TUNED_BACKENDS = {
    # Without a stream, the whole table is in memory at once.
    "connectorx": {"backend_kwargs": {"return_type": "arrow_stream"}},
    "pyarrow": {},
}

started = time.perf_counter()
file = place / "copy.duckdb"
pipeline = dlt.pipeline(
    pipeline_name="bench",
    pipelines_dir=str(place / "pipelines"),
    destination=dlt.destinations.duckdb(str(file)),
    dataset_name="stage",
)
rows = sql_table(
    credentials=url.replace("postgres://", "postgresql+psycopg2://", 1),
    table=table,
    schema="public",
    backend=backend,
    **({**TUNED, **TUNED_BACKENDS[backend]} if tuned else {}),
)
pipeline.run(rows, write_disposition="replace").raise_on_failed_jobs()
seconds = time.perf_counter() - started

with duckdb.connect(str(file), read_only=True) as connection:
    count, total = connection.execute(f'SELECT count(*), sum("{summed}")::VARCHAR FROM stage."{table}"').fetchone()
    types = dict(connection.execute(f'SELECT column_name, column_type FROM (DESCRIBE stage."{table}")').fetchall())

print(
    json.dumps(
        {
            "seconds": seconds,
            "rows": count,
            "sum": total,
            "types": types,
            # Kilobytes on Linux, bytes on macOS.
            "peak_memory_mb": max(
                resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
            )
            / (1024 if sys.platform != "darwin" else 1024 * 1024),
        }
    )
)
