-- Version 9: operators look for exports of all users, by status, cause, time and address.
BEGIN IMMEDIATE;

ALTER TABLE exports ADD COLUMN status TEXT NOT NULL DEFAULT '';
ALTER TABLE exports ADD COLUMN code TEXT NOT NULL DEFAULT '';

UPDATE exports SET
    status = coalesce(json_extract(document, '$.status'), 'queued'),
    code = coalesce(json_extract(document, '$.failure.code'), json_extract(document, '$.trouble.code'), '')
WHERE CASE WHEN json_valid(document) THEN json_type(document) = 'object' END;

-- All exports, newest first, with what they are counted by.
CREATE INDEX exports_newest ON exports (requested_at DESC, export_id DESC, status, code);

-- Which exports have or had an address, by its hash.
CREATE TABLE addresses (
    address TEXT NOT NULL,
    export_id TEXT NOT NULL,
    PRIMARY KEY (address, export_id)
) WITHOUT ROWID;

INSERT OR IGNORE INTO addresses
SELECT address_key(json_extract(document, '$.email')), export_id FROM exports
WHERE CASE WHEN json_valid(document) THEN json_type(document, '$.email') = 'text' END;

INSERT OR IGNORE INTO addresses
SELECT address_key(earlier.value), export_id
FROM exports, json_each(CASE WHEN json_valid(document) THEN document ELSE '[]' END, '$.earlier_emails') AS earlier
WHERE earlier.type = 'text';

PRAGMA user_version = 9;
COMMIT;
