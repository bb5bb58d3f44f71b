-- Version 7: the audit log. Ids sort by time. Times: Unix seconds.
BEGIN IMMEDIATE;

CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    at REAL NOT NULL,
    actor TEXT NOT NULL,
    who TEXT NOT NULL,
    about TEXT NOT NULL,
    action TEXT NOT NULL,
    export_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    channel TEXT NOT NULL,
    ip TEXT NOT NULL,
    request_id TEXT NOT NULL
) WITHOUT ROWID;

PRAGMA user_version = 7;
COMMIT;
