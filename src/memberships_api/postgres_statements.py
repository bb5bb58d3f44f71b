"""The SQL of the PostgreSQL repository."""

from memberships_api.repository import Form

# `wire` is the row as it is sent, as in SQLite: PostgreSQL keeps it in step with the columns, and a page is a join of
# ready-made text. Making the JSON while a page is read took about seven times as long. JSON_OBJECT, unlike
# json_build_object, is allowed in a generated column, and needs PostgreSQL 16.
# COLLATE "C": ids and states are compared byte by byte, and no update of the system's locales can spoil an index.
SCHEMA = """
CREATE TABLE IF NOT EXISTS memberships (
    id bigint PRIMARY KEY,
    uuid text NOT NULL,
    name text NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    recurring_price text NOT NULL, -- text, so that any number of digits stays as it is
    valid_from text NOT NULL,
    valid_until text,
    state text COLLATE "C" NOT NULL,
    assigned_by text,
    payment_method text,
    billing_interval text NOT NULL,
    billing_periods bigint NOT NULL,
    wire text NOT NULL GENERATED ALWAYS AS (
        JSON_OBJECT(
            'id' VALUE id, 'uuid' VALUE uuid, 'name' VALUE name, 'userId' VALUE user_id,
            'recurringPrice' VALUE recurring_price, 'validFrom' VALUE valid_from, 'validUntil' VALUE valid_until,
            'state' VALUE state, 'assignedBy' VALUE assigned_by, 'paymentMethod' VALUE payment_method,
            'billingInterval' VALUE billing_interval, 'billingPeriods' VALUE billing_periods
            NULL ON NULL RETURNING text
        )
    ) STORED
);
CREATE INDEX IF NOT EXISTS memberships_by_user ON memberships (user_id, id NULLS FIRST);
CREATE INDEX IF NOT EXISTS memberships_by_user_and_state ON memberships (user_id, state, id NULLS FIRST);
CREATE TABLE IF NOT EXISTS memberships_meta (name text PRIMARY KEY, value bytea NOT NULL);
"""

# The table that is made last, so when it is there, all is. An ordinary start needs no right to create anything.
IS_PREPARED = "SELECT to_regclass('memberships_meta') IS NOT NULL"

# One at a time creates the schema or adds rows, as in SQLite; readers never wait. The number is arbitrary, but fixed.
LOCK_OUT_OTHER_WRITERS = "SELECT pg_advisory_xact_lock(7236418865)"

# An import that finds another one writing says so, and does not wait for ever. Ends with the transaction.
WAIT_FOR_OTHER_WRITERS = "SET LOCAL lock_timeout = '30s'"

SNAPSHOT_OF_USER = "SELECT coalesce(max(id), 0), count(*) FROM memberships WHERE user_id = %(user_id)s"

SNAPSHOT_OF_USER_AND_STATE = """
SELECT coalesce(max(id), 0), count(*) FROM memberships WHERE user_id = %(user_id)s AND state = %(state)s
"""

# NULLS FIRST, though no id is null: the primary key is not in this order, so that PostgreSQL has to take the user's
# index. It would otherwise like to walk along the primary key, through every other user's rows.
#
# It would also like to collect all rows of a user that it believes to have few, and sort them, for every page anew.
# Beliefs are wrong after an import: statistics come later.
READ_IN_ORDER_OF_THE_INDEX = "SET LOCAL enable_bitmapscan = off"

# One value per page. Its bytes are taken as they come, in UTF-8: nothing is decoded to be encoded again. As bytea,
# the server would copy the page twice more.
_PAGE = """
SELECT string_agg(written, %(between)s ORDER BY id NULLS FIRST), max(id) FROM (
    SELECT id, {row} AS written FROM memberships
    WHERE user_id = %(user_id)s{narrowed} AND id > %(after)s AND id <= %(bound)s ORDER BY id NULLS FIRST LIMIT %(limit)s
) AS page
"""

# Made while a page is read, for half the bytes and more than twice the time of `wire`: for who has to go far.
_ARRAY = """JSON_ARRAY(id, uuid, name, user_id, recurring_price, valid_from, valid_until, state, assigned_by,
    payment_method, billing_interval, billing_periods NULL ON NULL RETURNING text)"""


def page(form: Form, *, by_state: bool) -> str:
    """Return the statement for a page."""
    row = _ARRAY if form is Form.ARRAYS else "wire"
    return _PAGE.format(row=row, narrowed=" AND state = %(state)s" if by_state else "")


ADD = """
COPY memberships (id, uuid, name, user_id, recurring_price, valid_from, valid_until, state, assigned_by,
                  payment_method, billing_interval, billing_periods) FROM STDIN
"""

OFFER_CURSOR_KEY = "INSERT INTO memberships_meta VALUES ('cursor_key', %s) ON CONFLICT DO NOTHING"

CURSOR_KEY = "SELECT value FROM memberships_meta WHERE name = 'cursor_key'"
