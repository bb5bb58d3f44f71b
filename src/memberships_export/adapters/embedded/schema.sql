-- The database of one machine, version 1; the files beside it lead on to later ones. Run once, in one transaction.
BEGIN IMMEDIATE;

-- One row per export. The document is the record; the other columns repeat what queries need. Times: Unix seconds.
CREATE TABLE IF NOT EXISTS exports (
    export_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    preset TEXT NOT NULL,
    unfinished INTEGER NOT NULL,
    requested_at REAL NOT NULL,
    wake_at REAL,
    revision TEXT NOT NULL,
    document TEXT NOT NULL
);

-- A user has at most one unfinished export per preset, whatever the code above believes.
CREATE UNIQUE INDEX IF NOT EXISTS exports_unfinished ON exports (user_id, preset) WHERE unfinished;

-- A user's exports, newest first.
CREATE INDEX IF NOT EXISTS exports_of_user ON exports (user_id, requested_at DESC, export_id DESC);

-- What the sweeper has to look at, the longest overdue first.
CREATE INDEX IF NOT EXISTS exports_due ON exports (wake_at) WHERE wake_at IS NOT NULL;

-- The queue. The receipt is new with each receive, so an old one no longer fits.
CREATE TABLE IF NOT EXISTS messages (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL,
    body TEXT NOT NULL,
    attributes TEXT NOT NULL,
    sent_at REAL NOT NULL,
    visible_at REAL NOT NULL,
    receive_count INTEGER NOT NULL DEFAULT 0,
    receipt TEXT
);

-- The next message to hand out.
CREATE INDEX IF NOT EXISTS messages_visible ON messages (visible_at, sequence);

-- The message to acknowledge or to give back.
CREATE UNIQUE INDEX IF NOT EXISTS messages_receipt ON messages (receipt);

-- The dead letter queue. A moved message keeps its id and the time it was first sent.
CREATE TABLE IF NOT EXISTS dead_letters (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL,
    body TEXT NOT NULL,
    attributes TEXT NOT NULL,
    sent_at REAL NOT NULL,
    receipt TEXT NOT NULL UNIQUE
);

-- Letters, oldest first.
CREATE INDEX IF NOT EXISTS dead_letters_sent ON dead_letters (sent_at, sequence);

PRAGMA user_version = 1;
COMMIT;
