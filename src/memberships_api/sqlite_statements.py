"""The SQL of the SQLite repository."""

# `wire` is the row as it is sent. SQLite keeps it in step with the columns, and a page is a join of ready-made text:
# several times faster than reading the columns and encoding them in Python, for twice the space.
SCHEMA = """
CREATE TABLE IF NOT EXISTS memberships (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL,
    name TEXT NOT NULL,
    user_id TEXT NOT NULL,
    recurring_price TEXT NOT NULL, -- text, so that 120.50 keeps its digits
    valid_from TEXT NOT NULL,
    valid_until TEXT,
    state TEXT NOT NULL,
    assigned_by TEXT,
    payment_method TEXT,
    billing_interval TEXT NOT NULL,
    billing_periods INTEGER NOT NULL,
    wire TEXT NOT NULL GENERATED ALWAYS AS (
        json_object(
            'id', id, 'uuid', uuid, 'name', name, 'userId', user_id, 'recurringPrice', recurring_price,
            'validFrom', valid_from, 'validUntil', valid_until, 'state', state, 'assignedBy', assigned_by,
            'paymentMethod', payment_method, 'billingInterval', billing_interval, 'billingPeriods', billing_periods
        )
    ) STORED
);
-- Every index ends in the row's id by itself, so these are in keyset order.
CREATE INDEX IF NOT EXISTS memberships_by_user ON memberships (user_id);
CREATE INDEX IF NOT EXISTS memberships_by_user_and_state ON memberships (user_id, state);
CREATE TABLE IF NOT EXISTS memberships_meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""

# INDEXED BY: without statistics SQLite may prefer the range of ids and walk through every other user's rows.
SNAPSHOT_OF_USER = """
SELECT coalesce(max(id), 0), count(*) FROM memberships INDEXED BY memberships_by_user WHERE user_id = :user_id
"""

SNAPSHOT_OF_USER_AND_STATE = """
SELECT coalesce(max(id), 0), count(*) FROM memberships INDEXED BY memberships_by_user_and_state
WHERE user_id = :user_id AND state = :state
"""

# Bytes, because they are sent as they are: nothing is decoded to be encoded again.
PAGE_OF_USER = """
SELECT CAST(wire AS BLOB), id FROM memberships INDEXED BY memberships_by_user
WHERE user_id = :user_id AND id > :after AND id <= :bound ORDER BY id LIMIT :limit
"""

PAGE_OF_USER_AND_STATE = """
SELECT CAST(wire AS BLOB), id FROM memberships INDEXED BY memberships_by_user_and_state
WHERE user_id = :user_id AND state = :state AND id > :after AND id <= :bound ORDER BY id LIMIT :limit
"""

ADD = "INSERT INTO memberships VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

# Two processes that start together must end with the same key.
OFFER_CURSOR_KEY = "INSERT OR IGNORE INTO memberships_meta VALUES ('cursor_key', randomblob(32))"

CURSOR_KEY = "SELECT value FROM memberships_meta WHERE name = 'cursor_key'"
