-- Version 3: the turns of a user, each a mail that was asked for within the last hour.
BEGIN IMMEDIATE;

CREATE TABLE turns (
    user_id TEXT NOT NULL,
    at REAL NOT NULL
);

-- The turns of one user, the oldest first.
CREATE INDEX turns_of_user ON turns (user_id, at);

PRAGMA user_version = 3;
COMMIT;
