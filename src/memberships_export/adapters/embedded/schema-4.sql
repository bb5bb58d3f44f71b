-- Version 4: an export has at most one message in the queue.
BEGIN IMMEDIATE;
ALTER TABLE messages ADD COLUMN export_id TEXT;
UPDATE messages SET export_id = json_extract(attributes, '$.exportId') WHERE json_valid(attributes);

-- Of several, the one whose turn comes first stays.
DELETE FROM messages WHERE export_id IS NOT NULL AND sequence NOT IN (
    SELECT sequence FROM (
        SELECT sequence, row_number() OVER (PARTITION BY export_id ORDER BY visible_at, sequence) AS place
        FROM messages
    ) WHERE place = 1
);

-- The message of an export. Plain messages know none, and are as many as there are.
CREATE UNIQUE INDEX messages_of_export ON messages (export_id);

PRAGMA user_version = 4;
COMMIT;
