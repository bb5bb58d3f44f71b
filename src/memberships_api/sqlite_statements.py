"""The SQL of the SQLite repository."""

from memberships_api.repository import Form

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

# One value for each page: row by row, SQLite would be left and entered again for each, and other threads run between.
# Its rows come in the order of the inner statement, whose LIMIT depends on it; group_concat has an ORDER BY of its own
# only since SQLite 3.44. Bytes, because they are sent as they are: nothing is decoded to be encoded again.
_PAGE = """
SELECT CAST(group_concat(written, :between) AS BLOB), max(id) FROM (
    SELECT id, {row} AS written FROM memberships INDEXED BY {index}
    WHERE user_id = :user_id{narrowed} AND id > :after AND id <= :bound ORDER BY id LIMIT :limit
)
"""

_ARRAY = """json_array(id, uuid, name, user_id, recurring_price, valid_from, valid_until, state, assigned_by,
                       payment_method, billing_interval, billing_periods)"""


def page(form: Form, *, by_state: bool) -> str:
    """Return the statement for a page."""
    index = "memberships_by_user_and_state" if by_state else "memberships_by_user"
    row = _ARRAY if form is Form.ARRAYS else "wire"
    return _PAGE.format(row=row, index=index, narrowed=" AND state = :state" if by_state else "")


ADD = "INSERT INTO memberships VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

# Two processes that start together must end with the same key.
OFFER_CURSOR_KEY = "INSERT OR IGNORE INTO memberships_meta VALUES ('cursor_key', randomblob(32))"

CURSOR_KEY = "SELECT value FROM memberships_meta WHERE name = 'cursor_key'"
