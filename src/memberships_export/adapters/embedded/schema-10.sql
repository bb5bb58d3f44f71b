-- Version 10: what stays of exports that were erased. The document is the tombstone. Times: Unix seconds.
BEGIN IMMEDIATE;

CREATE TABLE tombstones (
    export_id TEXT PRIMARY KEY,
    erased_at REAL NOT NULL,
    clear_at REAL,
    document TEXT NOT NULL
);

-- What the sweeper has to clear away, the longest overdue first.
CREATE INDEX tombstones_due ON tombstones (clear_at) WHERE clear_at IS NOT NULL;

PRAGMA user_version = 10;
COMMIT;
