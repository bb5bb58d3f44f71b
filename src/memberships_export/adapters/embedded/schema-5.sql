-- Version 5: when a record was written, by the clock of its writer; later than now is a clock that was set back.
BEGIN IMMEDIATE;
ALTER TABLE exports ADD COLUMN written_at REAL NOT NULL DEFAULT 0;
PRAGMA user_version = 5;
COMMIT;
