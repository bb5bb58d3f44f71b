-- Version 6: which export a mail belongs to, by the message id that the mail service gave it.
BEGIN IMMEDIATE;

CREATE TABLE message_ids (
    message_id TEXT PRIMARY KEY,
    export_id TEXT NOT NULL
);

PRAGMA user_version = 6;
COMMIT;
