-- Version 2: what makes two wishes of one user the same are their options, of which the preset is one.
BEGIN IMMEDIATE;
ALTER TABLE exports RENAME COLUMN preset TO options;
PRAGMA user_version = 2;
COMMIT;
