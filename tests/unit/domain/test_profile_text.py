"""A profile as its author writes it: read as a whole, or refused with all that is wrong, where, and how to mend it."""

import re
from datetime import timedelta
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberships_export.domain.formats.said import NAMES
from memberships_export.domain.source.asking import Ask, User
from memberships_export.domain.source.profile import Column, Offset
from memberships_export.domain.source.profile_file.filter_rules import OPTIONS
from memberships_export.domain.source.profile_file.problems import ProfileInvalid
from memberships_export.domain.source.profile_file.text import MOST_TOLD, read_profile
from memberships_export.domain.source.profile_file.toml import known_profile

SHIPPED = files("memberships_export").joinpath("shipped/profiles")

GOOD = """\
version = 1
description = "A club"

[request]
path = "/v1/members"
params = { customer = "{user.id}", status = "all" }
headers = { Accept = "application/json" }

[auth]
type = "bearer"
token = "env:API_TOKEN"

[rows]
path = "data"
key = ["id"]
order = "rising"
owner = "customer"

[paginator]
type = "offset"
size_param = "limit"
size = 100

[total]
path = "meta.total"

[[columns]]
name = "id"
type = "integer"
required = true

[[columns]]
name = "price"
path = "plan.amount"
type = "minor_units"
currency = "plan.currency"
"""
COLUMN = GOOD + '\n[[columns]]\nname = "c"\n'  # the third one, to be gone on with
POST = GOOD.replace("[request]\n", '[request]\nmethod = "POST"\n').replace("status", "state")
FILTERED = GOOD + '\n[filters.state]\nparam = "state"\n'
_JSON = 'json = { query = "query($m: ID!) { a }", variables = { member = "{user.id}", kind = "all" } }'
_PLACES = 'size_param = "variables.first"\noffset_param = "variables.skip"'
A_POST = POST.replace("params", f"{_JSON}\nparams").replace('size_param = "limit"', _PLACES) + "\n"


def problems_of(text: str) -> list[str]:
    try:
        read_profile(text, "club")
    except ProfileInvalid as refused:
        return list(refused.problems)
    return []


def changed(old: str, new: str) -> str:
    assert old in GOOD, f"the example has no {old}"
    return GOOD.replace(old, new)


def test_a_profile_is_known_by_name_text_and_fingerprint() -> None:
    known = read_profile(GOOD, "club")

    assert (known.name, known.text, len(known.fingerprint)) == ("club", GOOD, 16)
    assert isinstance(known.profile.paginator, Offset)
    assert known.profile.columns[0] == Column(name="id", type="integer", required=True)
    assert read_profile(GOOD.replace("100", "101"), "club").fingerprint != known.fingerprint


@pytest.mark.parametrize("shipped", [path.name for path in SHIPPED.iterdir()])
def test_every_shipped_profile_is_right_and_read_alike_without_a_check(shipped: str) -> None:
    text = SHIPPED.joinpath(shipped).read_text("utf-8")

    assert read_profile(text, shipped) == known_profile(text, shipped)


@pytest.mark.parametrize("text", ["\ufeff" + GOOD, GOOD.replace("\n", "\r\n"), GOOD + "\n\n# the end"])
def test_a_byte_order_mark_and_the_line_ends_of_other_systems_change_nothing(text: str) -> None:
    assert read_profile(text, "club").profile == read_profile(GOOD, "club").profile


def test_dotted_keys_and_inline_tables_say_the_same() -> None:
    text = """
        version = 1
        description = "A club"
        request = { path = "/v1/members", params.customer = "{user.id}", params.status = "all" }
        request.headers.Accept = "application/json"
    """
    rest = GOOD.partition("[auth]")[2]

    with pytest.raises(ProfileInvalid, match=r"the file: is not TOML: .*line 5"):  # an inline table is closed
        read_profile(f"{text}[auth]{rest}", "club")
    text = text.replace(" }\n        request.headers.Accept = ", ", headers.Accept = ").rstrip() + " }\n"
    assert read_profile(f"{text}[auth]{rest}", "club").profile == read_profile(GOOD, "club").profile


NOT_TOML = {
    "no TOML": ("a: 1", "line 1"),
    "YAML": ("version: 1\nrequest:\n  path: /x", "line 1"),
    "JSON": ('{"version": 1}', "line 1"),
    "a text without quotes": ("version = 1\nname = abc", "line 2"),
    "a key twice": ("version = 1\nversion = 1\n", "line 2"),
    "a table twice": ("[rows]\n[rows]", "line 2"),
    "a NUL": ("version = 1\x00", "line 1"),
    "a NUL in a text": ('version = "\x00"', "line 1"),
    "a lone line feed of old systems": ("version = 1\rx = 1", "line 1"),
    "half a character": ('version = "\ud800"', "no Unicode text"),
    "half a character, escaped": (r'version = "\ud800"', "line 1"),
    "a number without end": ("version = " + "9" * 5000, "not TOML"),
    "a text without end": ('version = "1\n', "line 1"),
    "deep arrays": ("a = " + "[" * 20_000 + "]" * 20_000, "nested"),
    "very deep names": (".".join("a" * 100_000) + " = 1", "nested"),
    "deep names": (".".join("a" * 51) + " = 1", "nested"),
    "deep names in a deep table": (
        "[request.json." + ".".join("a" * 490) + "]\n" + ".".join("a" * 490) + " = 1",
        "nested",
    ),
    "deep tables": ("a = " + "{ b = " * 20_000 + "1" + " }" * 20_000, "nested"),
}


@pytest.mark.parametrize("case", NOT_TOML)
def test_what_is_no_toml_is_refused_with_the_line(case: str) -> None:
    text, where = NOT_TOML[case]

    (problem,) = problems_of(text)
    assert problem.startswith("the file: ")
    assert where in problem


def test_an_empty_file_lacks_all_that_must_be_there() -> None:
    assert problems_of("") == [
        "version: is missing: 1",
        "request: is missing: a table",
        "rows: is missing: a table",
        "paginator: is missing: a table with a type",
        "columns: is missing: a list of tables",
    ]


WRONG_KEYS = {
    "version of another time": ("version = 1", "version = 2", "version (line 1): must be 1; it is 2"),
    "a misspelt key": (
        'order = "rising"',
        'odrer = "rising"',
        "[rows] odrer (line 16): is no key: did you mean order?",
    ),
    "a key of another table": (
        "size = 100",
        'owner = "x"',
        "is no key of the type offset: there are size_param, size,",
    ),
    "a key of another type": ("size = 100", 'cursor_path = "x"', "[paginator] cursor_path (line 22): is no key of the"),
    "a table inside another": ("[auth]", "columns = []\n[auth]", "columns stands above the first [table]"),
    "text for a number": ("size = 100", 'size = "100"', 'must be a whole number from 1 to 10000; it is "100"'),
    "a fraction": ("size = 100", "size = 1.5", "must be a whole number from 1 to 10000; it is 1.5"),
    "true for a number": ("size = 100", "size = true", "must be a whole number from 1 to 10000; it is true"),
    "a number too high": ("size = 100", "size = 10001", "it is 10001"),
    "a number without end": ("size = 100", f"size = 0x{'f' * 9999}", "it is a number of 19 digits or more"),
    "no number": ("size = 100", "size = nan", "it is NaN"),
    "a date": ("size = 100", "size = 2024-01-01", "it is a date or time, which TOML knows without quotes"),
    "a time": ("size = 100", "size = 07:32:00", "it is a date or time"),
    "a list for a text": ('path = "data"', "path = []", "must be a path such as plan.amount; it is an empty list"),
    "one for many": (
        'key = ["id"]',
        'key = "id"',
        "[rows] key (line 15): must be a list of paths, in brackets even if",
    ),
    "no key": ('key = ["id"]', "key = []", "must be a list of paths"),
    "text for yes": ("required = true", 'required = "yes"', 'columns[0] "id": required (line 30): must be true or'),
    "a word of no choice": ('order = "rising"', 'order = "up"', 'one of "rising", "falling", "none"; it is "up"'),
    "a type of no column": ('"integer"', '"int"', 'must be one of "text", "integer", "decimal", "minor_units", "boo'),
    "a type of no paginator": ('"offset"', '"pages"', "must be one of single_page, page_number, offset, cursor, json_"),
    "a type that is no text": ('"offset"', "1", "[paginator] type (line 20): must be one of single_page"),
    "no type": ('type = "bearer"', "", "[auth] type (line 9): is missing: one of service_jwt, bearer, http_basic"),
    "a table of no type": ('[auth]\ntype = "bearer"\ntoken = "env:API_TOKEN"', "auth = 1", "[request] auth"),
    "the secret itself": ("env:API_TOKEN", "sk_live_1", "[auth] token (line 11): must be env:NAME or secret:ID, which"),
    "a date in params": ('status = "all"', "status = 2024-01-01", "[request] params.status (line 6): must be a text"),
    "a list in params": ('status = "all"', "status = []", "[request] params.status (line 6): must be a text, a whole"),
    "a number in headers": ('"application/json"', "1", "[request] headers.Accept (line 7): must be a text; it is 1"),
    "a text without end shown": ("size = 100", f'size = "{"x" * 9999}"', f'it is "{"x" * 39}…'),
}


@pytest.mark.parametrize("case", WRONG_KEYS)
def test_a_wrong_key_is_told_with_its_place_and_what_it_must_be(case: str) -> None:
    old, new, problem = WRONG_KEYS[case]
    found = problems_of(changed(old, new))

    assert [one for one in found if problem in one], found
    assert len(found) == 1, found


def test_a_secret_is_never_shown_where_its_place_was_asked_for() -> None:
    basic = changed('type = "bearer"\ntoken', 'type = "http_basic"\nusername = "x"\npassword')
    for secret in ('"sk_live_abc"', '["sk_live_abc"]'):
        for text in (GOOD, basic):
            (problem,) = problems_of(text.replace('"env:API_TOKEN"', secret))
            assert "sk_live" not in problem


@pytest.mark.parametrize(
    "word", ["str", "int", "Expected", "object", "Struct", "Literal", "None", "NoneType", "msgspec"]
)
def test_no_problem_speaks_of_python(word: str) -> None:
    told = [*problems_of(""), *(one for old, new, _ in WRONG_KEYS.values() for one in problems_of(changed(old, new)))]

    assert [one for one in told if re.search(rf"\b{word}\b", re.sub(r'"[^"]*"', "", one))] == []


AS_LINES = (
    GOOD.replace('path = "data"', 'path = ""\nencoding = "ndjson"')
    .replace('path = "meta.total"', 'header = "X-Total"')
    .replace('{ Accept = "application/json" }', "{}")
)
AS_ARRAYS = GOOD.replace('path = "data"', 'path = "data"\nencoding = "arrays"')
RULES = {
    "rows as arrays": (AS_ARRAYS, None),
    "names of columns elsewhere": (AS_ARRAYS.replace('"arrays"', '"arrays"\ncolumns_path = "meta.names"'), None),
    "names of columns inside the rows": (
        AS_ARRAYS.replace('"arrays"', '"arrays"\ncolumns_path = "data.names"'),
        "one is a part of the other",
    ),
    "names of columns where the rows are": (
        AS_ARRAYS.replace('path = "data"', 'path = "columns"'),
        "cannot be read beside [rows] path: it would have to be of two types",
    ),
    "names of columns where the total is": (
        AS_ARRAYS.replace('"meta.total"', '"columns.n"'),
        "one is a part of the other",
    ),
    "names of columns where nobody reads them": (
        changed('path = "data"', 'path = "data"\ncolumns_path = "names"'),
        '[rows] columns_path (line 15): is only read with encoding = "arrays"',
    ),
    "arrays without a page": (
        AS_ARRAYS.replace('path = "data"', 'path = ""').replace('path = "meta.total"', 'header = "X-Total"'),
        "the page is no array itself",
    ),
    "arrays by place": (
        AS_ARRAYS.replace('"id"]', '"[0]"]')
        .replace('"customer"', '"[1]"')
        .replace('"plan.', '"[2].')
        .replace('name = "id"', 'name = "id"\npath = "[0]"'),
        "[rows] key (line 16): begins with a place",
    ),
    "rows as lines": (AS_LINES, None),
    "lines inside a page": (AS_LINES.replace('path = ""', 'path = "data"'), 'must be "" with encoding = "ndjson"'),
    "a total beside lines": (AS_LINES.replace('header = "X-Total"', 'path = "n"'), "one is a part of the other"),
    "errors beside lines": (
        AS_LINES.replace("[request]\n", '[request]\nerrors_path = "errors"\n'),
        "one is a part of the other",
    ),
    "no owner is allowed": (GOOD.replace('owner = "customer"\n', ""), None),
    "a relative path": (changed("/v1/members", "v1/members"), "[request] path (line 5): must begin with one /"),
    "a path to another host": (changed("/v1/members", "//evil.example"), "must begin with one /"),
    "a query in the path": (
        changed("/v1/members", "/v1?a=1"),
        "must end before ? or #: what is asked stands in params",
    ),
    "a fragment in the path": (changed("/v1/members", "/v1#a"), "must end before ? or #"),
    "a blank in the path": (changed("/v1/members", "/v1/all members"), "must be the path of a URL"),
    "a line feed in the path": (changed("/v1/members", "/v1\\r\\nX: y"), "must be the path of a URL"),
    "a step back": (changed("/v1/members", "/v1/../admin"), "must be the path of a URL"),
    "nobody is asked for": (changed("{user.id}", "all"), '[request] (line 4): names no user: put "{user.id}" or'),
    "nobody is asked for, but the token names the user": (
        changed("{user.id}", "all").replace('type = "bearer"\ntoken = "env:API_TOKEN"', 'type = "service_jwt"'),
        None,
    ),
    "the user is in the path": (changed("{user.id}", "all").replace("/v1/", "/v1/{user.id}/"), None),
    "the user is known by address": (changed("{user.id}", "{user.email}"), None),
    "a placeholder of another name": (changed('"all"', '"{user.name}"'), "{user.name} is no placeholder: there are"),
    "a placeholder of one word": (
        changed('"all"', '"{id}"'),
        "[request] params.status (line 6): {id} is no placeholder",
    ),
    "a placeholder with blanks": (changed('"all"', '"{ user.id }"'), "{ user.id } is no placeholder"),
    "a placeholder in a name": (changed("status =", '"{user.id}" ='), "placeholders are for values only"),
    "braces that are none": (changed('"all"', """'{"a": 1}'"""), None),
    "a page size": (changed('"all"', '"{page.size}"'), None),
    "a first page only": (changed("headers", 'first_page_only = ["status"]\nheaders'), None),
    "a first page only of nothing": (
        changed("headers", 'first_page_only = ["x"]\nheaders'),
        '[request] first_page_only (line 7): names "x", which is not in params',
    ),
    "a header of ours": (changed("Accept =", "Host ="), "[request] headers.Host (line 7): is not set here"),
    "a length": (changed("Accept =", "content-length ="), "is not set here: it is sent by itself, or not at all"),
    "a cookie": (changed("Accept =", "Cookie ="), "is not set here"),
    "a login in a header": (changed("Accept =", "authorization ="), "what proves who we are stands in [auth]"),
    "a header that is no word": (changed("Accept =", '"A b" ='), "must be the name of a header"),
    "a header that ends its line": (changed('"application/json"', '"a\\r\\nX: y"'), "must be one line of ASCII"),
    "a header in other letters": (changed('"application/json"', '"é"'), "must be one line of ASCII"),
    "a header with a blank at its end": (changed('"application/json"', '"a "'), "without blanks around it"),
    "an empty header": (changed('"application/json"', '""'), None),
    "a header twice": (
        changed("headers = { ", 'headers = { accept = "x", '),
        "[request] headers.Accept (line 7): is the same header as [request] headers.accept: remove one",
    ),
    "a POST of nothing": (POST, "[request] json (line 4): is missing: it is what a POST sends"),
    "a POST": (POST.replace("params", 'json = { query = "{ a { b } c {d}}", variables = { u = "x" } }\nparams'), None),
    "a body of a GET": (changed("params", "json = { a = 1 }\nparams"), 'is only sent with method = "POST"'),
    "a date in json": (POST.replace("params", "json.a = 2024-01-01\nparams"), "holds a date, a time, or a number"),
    "no number in json": (POST.replace("params", "json.a = [nan]\nparams"), "a number that JSON does not know"),
    "a long number in json": (POST.replace("params", f"json.a = 0x{'f' * 17}\nparams"), "JSON does not know"),
    "a long number in params": (
        changed('"all"', f"0x{'f' * 9999}"),
        "[request] params (line 6): holds a number of more",
    ),
    "a placeholder in a query": (
        POST.replace("params", """json = { query = '{ a(id: "{user.id}") }' }\nparams"""),
        "[request] json.query (line 7): must have no placeholder in it: declare a variable",
    ),
    "another placeholder in json": (
        POST.replace("params", 'json = { a = [{ b = "{user.name}" }] }\nparams'),
        "[request] json (line 7): {user.name} is no placeholder",
    ),
    "a param that pages too": (
        changed("status", "limit"),
        '[paginator] size_param (line 21): sends "limit", and so does [request] params.limit: remove one',
    ),
    "one param for two things": (
        changed("size = 100", 'offset_param = "limit"'),
        'sends "limit", and so does [paginator] offset_param',
    ),
    "no order": (
        changed('order = "rising"\n', ""),
        '[rows] order (line 13): must be "rising" or "falling": offset loses',
    ),
    "no order of pages": (
        changed('order = "rising"\n', "").replace('"offset"', '"page_number"'),
        "page_number loses rows when they have no order",
    ),
    "no order of cursors": (
        changed('order = "rising"\n', "").replace('"offset"', '"cursor"\ncursor_path = "n"\ncursor_param = "c"'),
        None,
    ),
    "two keys of a last one": (
        changed('["id"]', '["id", "no"]').replace('"offset"', '"last_key"\nparam = "after"'),
        "[rows] key (line 15): must be one path: last_key asks for the rows after one key",
    ),
    "one key twice": (changed('["id"]', '["id", "id"]'), "names one path twice"),
    "a short page of no size": (
        changed('size_param = "limit"\nsize = 100', "short_page_is_last = true"),
        "needs size, or size_param",
    ),
    "a short page that need not be": (
        changed("size = 100", 'short_page_is_last = true\nhas_more_path = "more"'),
        "does not go with has_more_path",
    ),
    "no total": (changed('path = "meta.total"', ""), "[total] (line 24): needs path or header"),
    "two totals": (
        changed('path = "meta.total"', 'path = "t"\nheader = "X-T"'),
        "[total] (line 24): has path and header",
    ),
    "a total of no kind": (changed('path = "meta.total"', 'from = "none"'), None),
    "a total of no kind that is one": (
        changed('path = "meta.total"', 'from = "none"\npath = "t"'),
        "remove one of them",
    ),
    "a total of another kind": (changed('path = "meta.total"', 'from = "header"\npath = "t"'), "name what from says"),
    "a total of this kind": (changed('path = "meta.total"', 'from = "header"\nheader = "X-Total"'), None),
    "a total in no header": (
        changed('path = "meta.total"', 'header = "X Total"'),
        "[total] header (line 25): must be the",
    ),
    "a cap of nothing": (
        changed("meta.total", 'meta.total"\ncap = 0\n#"'),
        "[total] cap (line 26): must be more than 0",
    ),
    "pages of no pages": (
        changed("meta.total", 'meta.total"\nunit = "pages"\n#"'),
        '[total] unit (line 26): may be "pages"',
    ),
    "two columns of one name": (
        changed('name = "price"', 'name = "id"'),
        'columns[1] "id": name (line 33): is the name of columns[0] "id": name too',
    ),
    "a name of two lines": (changed('name = "price"', 'name = "a\\nb"'), "must be one line of text"),
    "a name with blanks around": (changed('name = "price"', 'name = " a"'), "must be one line of text"),
    "money of no currency": (
        changed('currency = "plan.currency"', ""),
        'columns[1] "price": currency (line 32): is missing: money in minor units needs currency',
    ),
    "money of two currencies": (
        changed("plan.currency", 'plan.currency"\nexponent = 2\n#"'),
        'columns[1] "price": exponent (line 37): does not go with currency',
    ),
    "money of one exponent": (changed('currency = "plan.currency"', "exponent = 0"), None),
    "exponents by code": (changed("plan.currency", 'plan.currency"\nexponents = { CLF = 4 }\n#"'), None),
    "exponents of no currency": (
        changed('currency = "plan.currency"', "exponent = 2\nexponents = { CLF = 4 }"),
        "exponents (line 37): needs currency",
    ),
    "an exponent of no code": (
        changed("plan.currency", 'plan.currency"\nexponents = { clf = 4 }\n#"'),
        '"clf" is no code',
    ),
    "an exponent too high": (
        changed("plan.currency", 'plan.currency"\nexponents = { CLF = 9 }\n#"'),
        "exponents.CLF (line 37): must be a whole number from 0 to 8",
    ),
    "a currency of no money": (
        COLUMN + 'currency = "x"',
        "currency (line 40): is only for minor_units or decimal, and this column is text",
    ),
    "an exponent of no money": (COLUMN + "exponent = 0", "exponent (line 40): is only for minor_units"),
    "exponents of no money": (COLUMN + "exponents = { CLF = 4 }", "is only for minor_units"),
    "a zone": (COLUMN + 'type = "date"\nzone = "Europe/Zurich"', None),
    "a zone of times": (COLUMN + 'type = "datetime"\nzone = "Europe/Zurich"', None),
    "a zone of a text": (
        COLUMN + 'type = "date_or_text"\nzone = "UTC"',
        "zone (line 41): is only for date or datetime, and this column is date_or_text",
    ),
    "a map of times to come": (COLUMN + 'type = "datetime"\nmap = { "" = "never" }', None),
    "a map of dates or texts": (COLUMN + 'type = "date_or_text"\nmap = { 1 = "soon" }', None),
    "a join of times": (COLUMN + 'type = "datetime"\njoin = ","', "join (line 41): is only for text, and this column"),
    "a join of dates or texts": (COLUMN + 'type = "date_or_text"\njoin = ","', "join (line 41): is only for text, and"),
    "a currency of a time": (COLUMN + 'type = "datetime"\ncurrency = "x"', "is only for minor_units or decimal, and"),
    "an exponent of a time": (
        COLUMN + 'type = "datetime"\nexponent = 2',
        "exponent (line 41): is only for minor_units",
    ),
    "a value of a date or text": (
        COLUMN + 'type = "date_or_text"\nvalue = "x"',
        "value (line 41): is only for constant",
    ),
    "a currency of a decimal": (COLUMN + 'type = "decimal"\ncurrency = "x"', None),
    "an exponent of a decimal": (
        COLUMN + 'type = "decimal"\nexponent = 2',
        "exponent (line 41): is only for minor_units",
    ),
    "exponents of a decimal": (
        COLUMN + 'type = "decimal"\ncurrency = "x"\nexponents = { CLF = 4 }',
        "exponents (line 42): is only for minor_units, and this column is decimal",
    ),
    "no path of the currency of a decimal": (
        COLUMN + 'type = "decimal"\ncurrency = "a..b"',
        "currency (line 41): is no path",
    ),
    "a zone of an epoch": (
        COLUMN + 'type = "epoch_ms"\nzone = "UTC"',
        "zone (line 41): is only for date or datetime, and",
    ),
    "a zone of no date": (
        COLUMN + 'zone = "UTC"',
        "zone (line 40): is only for date or datetime, and this column is text",
    ),
    "a zone that is none": (COLUMN + 'type = "date"\nzone = "Europe/Bern"', '"Europe/Bern" is no time zone'),
    "a folder of zones": (COLUMN + 'type = "date"\nzone = "Europe"', '"Europe" is no time zone'),
    "a file that is no zone": (COLUMN + 'type = "date"\nzone = "../../../etc/passwd"', "is no time zone"),
    "a zone with a NUL": (COLUMN + 'type = "date"\nzone = "a\\u0000"', "is no time zone"),
    "a constant": (COLUMN + 'type = "constant"\nvalue = ""', None),
    "a constant of nothing": (
        COLUMN + 'type = "constant"',
        "value (line 38): is missing: it is what a column of the type",
    ),
    "a constant somewhere": (COLUMN + 'type = "constant"\nvalue = "x"\npath = "c"', "path (line 42): does not go with"),
    "a value of no constant": (
        COLUMN + 'value = "x"',
        "value (line 40): is only for constant, and this column is text",
    ),
    "a map": (COLUMN + 'type = "boolean"\nmap = { true = "yes" }', None),
    "a map of money": (COLUMN + 'type = "decimal"\nmap = { 1 = "x" }', None),
    "a map of times": (COLUMN + 'type = "epoch"\nmap = { 0 = "" }', None),
    "a map of a constant": (
        COLUMN + 'type = "constant"\nvalue = "a"\nmap = { a = "x" }',
        "datetime, epoch, epoch_ms or date_or_text, and this column is constant",
    ),
    "a join": (COLUMN + 'join = ""', None),
    "a join of numbers": (
        COLUMN + 'type = "integer"\njoin = ","',
        "join (line 41): is only for text, and this column is",
    ),
    "a value that must and need not be there": (
        COLUMN + "required = true\noptional = true",
        "optional (line 41): does not",
    ),
    "labels": (COLUMN + 'labels = { de = "C", fr = "D" }', None),
    "labels of a region": (COLUMN + 'labels = { en = "C", de-CH = "D" }', None),
    "labels of no region": (COLUMN + 'labels = { de-ch = "C" }', '"de-ch" is no language: write its two letters, with'),
    "a label of nothing": (COLUMN + 'labels = { de = "" }', "labels (line 40): de must be one line of text"),
    "a label of two lines": (COLUMN + 'labels = { de = "a\\nb" }', "de must be one line of text, without blanks"),
    "labels of no language": (COLUMN + 'labels = { German = "C" }', '"German" is no language'),
    "a label in capitals": (COLUMN + 'labels = { DE = "C" }', '"DE" is no language'),
    "a filter": (FILTERED + 'values = { active = "1" }\nlabels = { en = "Status", de-CH = "Status" }', None),
    "a filter by dates": (FILTERED + 'type = "date"', None),
    "a filter in place of what is usual": (FILTERED.replace('"state"', '"status"') + 'values = { active = "1" }', None),
    "a filter in place of the user": (
        FILTERED.replace('"state"', '"customer"') + 'values = { a = "1" }',
        '[filters.state] param (line 39): sends "customer", and so does [request] params.customer: choose another',
    ),
    "a filter in place of the size": (
        FILTERED.replace('"state"', '"limit"') + 'values = { a = "1" }',
        '[filters.state] param (line 39): sends "limit", and so does [paginator] size_param',
    ),
    "a filter in place of the page": (
        FILTERED.replace('"state"', '"offset"') + 'values = { a = "1" }',
        'sends "offset", and so does [paginator] offset_param',
    ),
    "a filter in place of the key": (
        changed(
            '"bearer"\ntoken =', '"api_key"\nname = "state"\nlocation = "query"\nallow_key_in_url = true\napi_key ='
        )
        + '\n[filters.state]\nparam = "state"\nvalues = { a = "1" }',
        'sends "state", and so does [auth] name: choose another param',
    ),
    "two filters of one param": (
        FILTERED + 'values = { a = "1" }\n[filters.other]\nparam = "state"\ntype = "date"',
        '[filters.other] param (line 42): sends "state", and so does [filters.state] param: choose another',
    ),
    "two filters of one name": (
        FILTERED + 'values = { a = "1" }\n[filters.State]\nparam = "b"\ntype = "date"',
        "[filters.State] (line 41): is the name of [filters.state] too, but for capitals",
    ),
    "a filter of no values": (FILTERED, "[filters.state] values (line 38): is missing: what members may say, and what"),
    "a filter by dates of values": (
        FILTERED + 'type = "date"\nvalues = { a = "1" }',
        '[filters.state] values (line 41): goes with type = "choice" only',
    ),
    "a filter of an odd name": (
        FILTERED.replace("[filters.state]", '[filters."der Stand"]') + 'values = { a = "1" }',
        "[filters.der Stand] (line 38): is no name that members can type",
    ),
    "a filter of a colon": (
        FILTERED.replace("[filters.state]", '[filters."a:b"]') + 'values = { a = "1" }',
        "is no name that members can type",
    ),
    "a filter of no name": (
        FILTERED.replace("[filters.state]", '[filters.""]') + 'values = { a = "1" }',
        "is no name that members can type",
    ),
    "a filter like an option": (
        FILTERED.replace("[filters.state]", "[filters.timeZone]") + 'values = { a = "1" }',
        "[filters.timeZone] (line 38): is the name of an option of the file: call the filter something else",
    ),
    "a value of a filter that nobody can type": (
        FILTERED + 'values = { "on hold, or not" = "1" }',
        '[filters.state] values (line 40): "on hold, or not" is nothing that members can type',
    ),
    "a value of a filter with a placeholder": (
        FILTERED + 'values = { mine = "{user.id}" }',
        "[filters.state] values (line 40): has a placeholder for mine, and is sent as it is",
    ),
    "labels of a filter in no language": (
        FILTERED + 'values = { a = "1" }\nlabels = { German = "Stand" }',
        '[filters.state] labels (line 41): "German" is no language',
    ),
    "a filter that only the first page is asked for with": (
        FILTERED.replace("params =", 'first_page_only = ["state"]\nparams =') + 'values = { a = "1" }',
        None,
    ),
    "a filter of a POST": (A_POST + '[filters.state]\nparam = "variables.state"\nvalues = { a = "1" }', None),
    "a filter of a POST that is made on the way": (
        A_POST + '[filters.state]\nparam = "variables.where.state"\nvalues = { a = "1" }',
        None,
    ),
    "a filter of a POST in place of what is usual": (
        A_POST + '[filters.state]\nparam = "variables.kind"\nvalues = { a = "1" }',
        None,
    ),
    "a filter of a POST in place of the user": (
        A_POST + '[filters.state]\nparam = "variables.member"\nvalues = { a = "1" }',
        'sends "variables.member", and so does [request] json: choose another param',
    ),
    "a filter of a POST in place of the size": (
        A_POST + '[filters.state]\nparam = "variables.first"\nvalues = { a = "1" }',
        'sends "variables.first", and so does [paginator] size_param',
    ),
    "a filter of a POST in the size": (
        A_POST + '[filters.state]\nparam = "variables.first.state"\nvalues = { a = "1" }',
        'sends "variables.first.state", and so does [paginator] size_param',
    ),
    "a filter of a POST in place of all": (
        A_POST + '[filters.state]\nparam = "variables"\nvalues = { a = "1" }',
        "param (line 42): must lead through tables of json to one value, such as variables.state",
    ),
    "a filter of a POST through a text": (
        A_POST + '[filters.state]\nparam = "query.state"\nvalues = { a = "1" }',
        "must lead through tables of json to one value",
    ),
    "a filter of a POST at no path": (
        A_POST + '[filters.state]\nparam = "a..b"\nvalues = { a = "1" }',
        "is no path into json, which a POST sends",
    ),
    "a filter of a POST that is in another": (
        A_POST
        + '[filters.state]\nparam = "variables.w"\nvalues = { a = "1" }\n'
        + '[filters.day]\nparam = "variables.w.day"\ntype = "date"',
        '[filters.day] param (line 45): sends "variables.w.day", and so does [filters.state] param',
    ),
    "filters that are none": (
        GOOD.replace("version", "filters = 3\nversion", 1),
        "must be a table of tables, each under",
    ),
    "a filter that is none": (
        GOOD + '\n[filters]\nstate = "active"',
        "[filters.state] (line 39): must be a table of keys; it",
    ),
    "a filter without a param": (
        GOOD + '\n[filters.state]\nvalues = { a = "1" }',
        "[filters.state] param (line 38): is missing: a text",
    ),
    "a filter with a value that is no text": (
        FILTERED + "values = { a = 1 }",
        "[filters.state] values.a (line 40): must be a text; it is 1",
    ),
    "a filter with a misspelt key": (
        FILTERED + 'value = { a = "1" }',
        "[filters.state] value (line 40): is no key: did you mean values?",
    ),
    "no path": (changed("plan.amount", "plan..amount"), "path (line 34): is no path: a name is missing"),
    "no path of rows": (changed('path = "data"', 'path = "data[*]"'), "[rows] path (line 14): is no path"),
    "no path of a key": (changed('["id"]', '["person-id"]'), "[rows] key (line 15): is no path: a name with other"),
    "no path of an owner": (changed('"customer"\n\n', '"a b"\n\n'), "[rows] owner (line 17): is no path"),
    "no path of a total": (changed("meta.total", "$.total"), "[total] path (line 25): is no path"),
    "no path of a currency": (changed("plan.currency", "plan."), "currency (line 36): is no path"),
    "no path of an error": (changed("params", 'errors_path = "$"\nparams'), "errors_path (line 6): is no path"),
    "a path to the whole row": (changed("plan.amount", ""), "names nothing: write the path of a row to what is meant"),
    "a key that is the row": (changed('["id"]', '[""]'), "[rows] key (line 15): names nothing"),
    "a path to a name that cannot be read": (
        COLUMN + 'path = \'a."b\\"c"\'',
        'columns[2] "c": path (line 40): names something with ", \\ or a control character in it of a row, which',
    ),
    "a column with a name that cannot be read": (
        GOOD + "\n[[columns]]\nname = 'a\"b'",
        "name (line 39): names something with",
    ),
    "rows for offsets one by one": (changed("size = 100", "size = 1"), "[paginator] size (line 22): must be 2 or more"),
    "other pages of nobody": (
        changed('owner = "customer"', "").replace("params", 'first_page_only = ["customer"]\nparams', 1),
        '[request] first_page_only (line 6): names "customer", and without it nothing says whose the rows of other',
    ),
    "a value that has parts": (
        COLUMN + 'path = "plan"',
        'columns[1] "price": path (line 34): cannot be read beside columns[2] "c": path: one is a part of the other',
    ),
    "a column by its name that has parts": (
        GOOD + '\n[[columns]]\nname = "plan"',
        'columns[1] "price": path (line 34): cannot be read beside columns[2] "plan": name',
    ),
    "a list that has names": (
        COLUMN + 'path = "plan[0]"',
        'goes into a list where columns[1] "price": path goes into an',
    ),
    "a total inside the rows": (changed("meta.total", "data.total"), "cannot be read beside [rows] path"),
    "a page that is the array, and has a total": (
        changed('path = "data"', 'path = ""'),
        "[total] path (line 25): cannot be",
    ),
    "a place in json for the page": (
        POST.replace("params", "json.variables.first = 1\nparams")
        .replace('"limit"', '"variables.first"')
        .replace("size = 100", 'offset_param = "variables.page.skip"'),
        None,
    ),
    "a name that is no place in json": (
        POST.replace("params", "json.a = 1\nparams").replace('"limit"', '"page[size]"'),
        "[paginator] size_param (line 23): is no path into json, which a POST sends: a place in a list is a number",
    ),
    "a place in json inside of a text": (
        POST.replace("params", 'json.variables = "x"\nparams').replace('"limit"', '"variables.first"'),
        "[paginator] size_param (line 23): must lead through tables of json, such as variables.after",
    ),
    "a place in a list of json": (
        POST.replace("params", "json.a = 1\nparams").replace('"limit"', '"variables[0]"'),
        "must lead through tables of json",
    ),
    "one value of two types": (
        COLUMN + 'path = "x"\ntype = "integer"\n\n[[columns]]\nname = "d"\npath = "x"\ntype = "boolean"',
        'columns[3] "d": path (line 45): cannot be read beside columns[2] "c": path: it would have to be of two types',
    ),
    "one value of two types, by its name": (
        COLUMN + '\n[[columns]]\nname = "d"\npath = "c"\ntype = "boolean"',
        'columns[2] "c": name (line 39): cannot be read beside columns[3] "d": path',
    ),
    "a key that is no key": (
        changed('"integer"', '"boolean"'),
        'columns[0] "id": name (line 28): cannot be read beside [r',
    ),
    "an owner that is yes or no": (
        COLUMN + 'path = "customer"\ntype = "boolean"',
        'columns[2] "c": path (line 40): cannot be read beside [rows] owner',
    ),
    "a total that is yes or no": (
        changed("meta.total", "more").replace("size = 100", 'has_more_path = "more"'),
        "[total] path (line 25): cannot be read beside [paginator] has_more_path: it would have to be of two types",
    ),
    "a key in the URL": (
        changed('type = "bearer"\ntoken =', 'type = "api_key"\nname = "key"\nlocation = "query"\napi_key ='),
        "[auth] allow_key_in_url (line 9): is missing: URLs are kept in many logs",
    ),
    "a key in the URL that is allowed": (
        changed(
            'type = "bearer"\ntoken =',
            'type = "api_key"\nname = "key"\nlocation = "query"\nallow_key_in_url = true\napi_key =',
        ),
        None,
    ),
    "a key in a param of another": (
        changed(
            'type = "bearer"\ntoken =',
            'type = "api_key"\nname = "status"\nlocation = "query"\nallow_key_in_url = true\napi_key =',
        ),
        '[auth] name (line 11): sends "status", and so does [request] params.status',
    ),
    "a key in Authorization": (
        changed('type = "bearer"\ntoken =', 'type = "api_key"\nname = "Authorization"\nprefix = "Token "\napi_key ='),
        None,
    ),
    "a key in a header of ours": (
        changed('type = "bearer"\ntoken =', 'type = "api_key"\nname = "Cookie"\napi_key ='),
        "[auth] name (line 11): is not set here",
    ),
    "a key in a header of another": (
        changed('type = "bearer"\ntoken =', 'type = "api_key"\nname = "accept"\napi_key ='),
        "[auth] name (line 11): is the same header as [request] headers.Accept",
    ),
    "a name that is nowhere": (
        changed('type = "bearer"\ntoken = "env', 'type = "http_basic"\npassword = ""\nusername = "env:1'),
        "[auth] username (line 12): begins like the place of a secret, and is none",
    ),
    "a name that stands for itself": (changed('"bearer"\ntoken = "env:', '"http_basic"\nusername = "'), None),
    "a prefix that ends its line": (
        changed('type = "bearer"\ntoken =', 'type = "api_key"\nname = "X-Key"\nprefix = "a\\n"\napi_key ='),
        "[auth] prefix (line 12): must be ASCII characters in one line",
    ),
}


@pytest.mark.parametrize("case", RULES)
def test_keys_that_do_not_go_together_are_told_with_place_and_fix(case: str) -> None:
    text, problem = RULES[case]
    found = problems_of(text)

    if problem is None:
        assert found == []
    else:
        assert [one for one in found if problem in one], found
        assert len(found) == 1, found


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        changed("version = 1", "version = 2")
        .replace("/v1/members", "v1?x")
        .replace('"rising"', '"up"')
        .replace("size = 100", "size = 0")
        .replace("plan.amount", "plan-amount")
        .replace('currency = "plan.currency"', "curency = 1")
    )

    places = [problem.partition(":")[0] if "columns" not in problem else problem[:18] for problem in problems_of(text)]
    assert places == [
        "version (line 1)",
        "[request] path (line 5)",
        "[request] path (line 5)",
        "[rows] order (line 16)",
        "[paginator] size (line 22)",
        'columns[1] "price"',
        'columns[1] "price"',
    ]


def test_what_only_follows_from_another_problem_is_not_told() -> None:
    told = problems_of(changed('type = "minor_units"', 'type = "money"') + 'zone = "UTC"\n')

    assert len(told) == 1, told
    assert told[0].startswith('columns[1] "price": type (line 35): must be one of "text"')


def test_the_lines_of_columns_in_one_list_are_found_too() -> None:
    columns = 'columns = [\n    { name = "id" },\n    # a comment\n    { name = "price", zone = "UTC" },\n]\n'
    text = columns + GOOD.partition("[[columns]]")[0]

    (problem,) = problems_of(text)
    assert problem.startswith('columns[1] "price": zone (line 4): is only for date or datetime, and')


def test_no_filter_may_be_called_like_anything_else_that_is_chosen_about_a_file() -> None:
    assert {name.lower() for name in NAMES} <= set(OPTIONS)


def test_lines_are_not_looked_for_inside_of_texts() -> None:
    text = changed('description = "A club"', 'description = """\n[rows]\norder = 1\n"""').replace('"rising"', '"up"')

    assert problems_of(text)[0].startswith("[rows] order (line 19)")


def test_a_file_with_very_many_problems_tells_the_first_ones() -> None:
    told = problems_of("".join(f"k{at} = {at}\n" for at in range(4000)) + GOOD)

    assert len(told) == MOST_TOLD + 1
    assert told[-1] == f"the file: has {4000 - MOST_TOLD} more problems"


# --- Whatever is written ----------------------------------------------------------------------------------------------

LINES = [line for line in GOOD.splitlines() if line]
VALUES = ["1", '"x"', "true", "[]", "{}", "[1]", '{ a = "b" }', "2024-01-01", "inf", '""', '"{user.x}"', '"a.b"', '"["']


@settings(max_examples=300, deadline=timedelta(seconds=10))
@given(st.lists(st.sampled_from([*LINES, *(f"{key} = {value}" for key in ("path", "name") for value in VALUES)])))
def test_any_lines_of_a_profile_are_read_or_refused(lines: list[str]) -> None:
    problems_of("\n".join(lines))


@settings(max_examples=300, deadline=timedelta(seconds=10))
@given(st.sampled_from([line for line in LINES if "=" in line]), st.sampled_from(VALUES))
def test_any_value_in_any_place_is_read_or_refused_with_its_line(line: str, value: str) -> None:
    text = GOOD.replace(f"{line}\n", f"{line.partition(' =')[0]} = {value}\n", 1)

    assert [problem for problem in problems_of(text) if "line" not in problem] == []


@settings(max_examples=200, deadline=timedelta(seconds=10))
@given(st.sampled_from([line for line in LINES if "=" in line]), st.sampled_from([*VALUES, *LINES]), st.booleans())
def test_by_whatever_is_read_a_page_can_be_asked_for(line: str, other: str, posts: bool) -> None:  # noqa: FBT001
    key, value = line.partition(" = ")[0], other.rpartition(" = ")[2]
    text = (POST.replace("params", "json.a.b = 1\nparams") if posts else GOOD).replace(
        f"{line}\n", f"{key} = {value}\n", 1
    )
    try:
        known = read_profile(text, "club")
    except ProfileInvalid:
        return
    assert Ask(known.profile, User("42", "anna@example.org"), 100).page(None).path.startswith("/")


LOOKUP = """
[user]
path = "/customers"
params = { email = "{user.email}" }
rows = "data"
id = "id"
email = "email"
"""


def test_users_may_be_looked_up_by_their_address() -> None:
    assert read_profile(GOOD + LOOKUP, "club").profile.user is not None


@pytest.mark.parametrize(
    "right,wrong,problem",
    [
        ('"{user.email}"', '"anna"', "asks for nobody"),
        ("/customers", "/customers/{user.id}", "that is what it is to find"),
        ("/customers", "customers", "must begin with one /"),
        ('rows = "data"', 'rows = "data["', "is no path"),
        ('id = "id"', 'id = ""', "names nothing"),
        ('email = "email"', 'email = "id"', "is where the id is"),
        ('id = "id"\n', "", "id"),
    ],
)
def test_a_lookup_that_finds_nobody_is_refused(right: str, wrong: str, problem: str) -> None:
    with pytest.raises(ProfileInvalid, match=problem):
        read_profile(GOOD + LOOKUP.replace(right, wrong), "club")
