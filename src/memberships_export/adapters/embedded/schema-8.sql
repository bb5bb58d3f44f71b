-- Version 8: whether the service is paused, and which alerts were given.
BEGIN IMMEDIATE;

CREATE TABLE pause (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    since REAL NOT NULL,
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    drain INTEGER NOT NULL
);

-- `key`: a kind of trouble, or one occurrence of it.
CREATE TABLE alerts (
    key TEXT PRIMARY KEY,
    at REAL NOT NULL
);

PRAGMA user_version = 8;
COMMIT;
