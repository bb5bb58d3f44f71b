"""The SQL that compares and merges the rows of a file; every database of memberships understands it."""

CREATE_IN_SQLITE = """
CREATE TEMP TABLE staged (
    line INTEGER PRIMARY KEY, id INTEGER, uuid TEXT, name TEXT, user_id TEXT, recurring_price TEXT, valid_from TEXT,
    valid_until TEXT, state TEXT, assigned_by TEXT, payment_method TEXT, billing_interval TEXT,
    billing_periods INTEGER, found INTEGER -- the membership that is there already
)
"""

LOAD_INTO_SQLITE = "INSERT INTO staged VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"

# Texts are compared as the memberships' are: PostgreSQL refuses to compare by two collations.
CREATE_IN_POSTGRES = """
CREATE TEMP TABLE staged (
    line bigint PRIMARY KEY, id bigint, uuid text, name text, user_id text COLLATE "C", recurring_price text,
    valid_from text, valid_until text, state text COLLATE "C", assigned_by text, payment_method text,
    billing_interval text, billing_periods bigint, found bigint
) ON COMMIT DROP
"""

LOAD_INTO_POSTGRES = """
COPY staged (line, id, uuid, name, user_id, recurring_price, valid_from, valid_until, state, assigned_by,
             payment_method, billing_interval, billing_periods) FROM STDIN
"""

INDEX_IDS = "CREATE INDEX staged_by_id ON staged (id)"
INDEX_UUIDS = "CREATE INDEX staged_by_uuid ON staged (uuid)"
INDEX_FOUND = "CREATE INDEX staged_by_found ON staged (found)"
MEASURE = "ANALYZE staged"

FIND_BY_ID = "UPDATE staged SET found = id WHERE id IN (SELECT id FROM memberships)"

# Joined from the side of the memberships: they have no index of uuids, the drafts have.
FIND_BY_UUID = """
UPDATE staged SET found = there.id
FROM (
    SELECT s.line AS line, min(m.id) AS id FROM memberships AS m JOIN staged AS s ON s.uuid = m.uuid
    WHERE s.id IS NULL GROUP BY s.line
) AS there
WHERE there.line = staged.line
"""

KEEP = {
    "valid_until": "UPDATE staged SET valid_until = m.valid_until FROM memberships AS m WHERE m.id = found",
    "assigned_by": "UPDATE staged SET assigned_by = m.assigned_by FROM memberships AS m WHERE m.id = found",
    "payment_method": "UPDATE staged SET payment_method = m.payment_method FROM memberships AS m WHERE m.id = found",
}

_ID_TWICE = """
SELECT line, '0' AS clash, CAST(id AS text) AS value, CAST(uses AS text) AS other
FROM staged JOIN (
    SELECT id AS twice, count(*) AS uses FROM staged WHERE id IS NOT NULL GROUP BY id HAVING count(*) > 1
) AS ids ON id = twice
"""

_UUID_TWICE = """
SELECT line, '5', uuid, CAST(uses AS text)
FROM staged JOIN (
    SELECT uuid AS twice, count(*) AS uses FROM staged WHERE uuid IS NOT NULL GROUP BY uuid HAVING count(*) > 1
) AS uuids ON uuid = twice
"""

_SAME_MEMBERSHIP = """
SELECT line, '1', uuid, CAST(found AS text)
FROM staged WHERE id IS NULL AND found IN (SELECT id FROM staged WHERE id IS NOT NULL)
"""

_ID_TAKEN = "SELECT line, '2', CAST(id AS text), '' FROM staged WHERE found IS NOT NULL"

# The users' ids are for nobody's eyes: `other` is the membership.
_OTHER_USER = """
SELECT line, '3', s.user_id, CAST(m.id AS text) FROM staged AS s JOIN memberships AS m ON m.id = s.found
WHERE m.user_id <> s.user_id
"""

_ID_TOO_LOW = """
SELECT line, '4', CAST(s.id AS text), CAST(highest AS text)
FROM staged AS s JOIN (
    SELECT user_id, max(id) AS highest FROM memberships
    WHERE user_id IN (SELECT user_id FROM staged WHERE id IS NOT NULL AND found IS NULL) GROUP BY user_id
) AS users ON users.user_id = s.user_id
WHERE s.found IS NULL AND s.id < highest
"""

_UUID_TAKEN = """
SELECT s.line, '6', s.uuid, CAST(min(m.id) AS text) FROM memberships AS m JOIN staged AS s ON s.uuid = m.uuid
WHERE s.found IS NULL OR s.found <> m.id GROUP BY s.line, s.uuid
"""

_ENDS_BEFORE_START = "SELECT line, '7', valid_until, valid_from FROM staged WHERE valid_until < valid_from"

_OF_BOTH = (_ID_TWICE, _UUID_TWICE, _ID_TOO_LOW, _UUID_TAKEN)
_IN_ORDER = " ORDER BY 1, 2"
CONFLICTS_OF_ADDING = " UNION ALL ".join([*_OF_BOTH, _ID_TAKEN]) + _IN_ORDER
CONFLICTS_OF_UPDATE = " UNION ALL ".join([*_OF_BOTH, _SAME_MEMBERSHIP, _OTHER_USER, _ENDS_BEFORE_START]) + _IN_ORDER

HIGHEST_ID = """
SELECT coalesce(max(id), 0) FROM (SELECT max(id) AS id FROM memberships UNION ALL SELECT max(id) FROM staged) AS ids
"""

FOUND = "SELECT count(*) FROM staged WHERE found IS NOT NULL"

# EXCEPT takes two nulls for the same, and means the same in every database.
CHANGE = """
UPDATE memberships SET
    uuid = coalesce(s.uuid, memberships.uuid), name = s.name, recurring_price = s.recurring_price,
    valid_from = s.valid_from, valid_until = s.valid_until, state = s.state, assigned_by = s.assigned_by,
    payment_method = s.payment_method, billing_interval = s.billing_interval, billing_periods = s.billing_periods
FROM staged AS s
WHERE memberships.id = s.found AND EXISTS (
    SELECT coalesce(s.uuid, memberships.uuid), s.name, s.recurring_price, s.valid_from, s.valid_until, s.state,
           s.assigned_by, s.payment_method, s.billing_interval, s.billing_periods
    EXCEPT
    SELECT memberships.uuid, memberships.name, memberships.recurring_price, memberships.valid_from,
           memberships.valid_until, memberships.state, memberships.assigned_by, memberships.payment_method,
           memberships.billing_interval, memberships.billing_periods
)
"""

NEW = """
SELECT line, id, uuid, name, user_id, recurring_price, valid_from, valid_until, state, assigned_by, payment_method,
       billing_interval, billing_periods
FROM staged WHERE found IS NULL ORDER BY line
"""
