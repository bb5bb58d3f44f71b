"""What each key of a profile is for: once, for the JSON Schema that editors read and for the page in docs/."""

from collections.abc import Mapping

_HAS_MORE = "Path to true or false: whether there is another page. It counts more than everything else."
_SHORT = (
    "A page with fewer rows than asked for is the last: for an API that says the end in no other way. It is a guess."
)
_REQUIRED = "It is in every page, and null or empty in the last one. A page without it is an error, not the end."
_REFERENCE = "`env:NAME` is a variable of the environment, `secret:ID` a secret in Secrets Manager (on AWS)."

_OF_EVERY_PAGINATOR = {
    "size_param": "Param that asks for a number of rows, with POST a path in `json`. It is a wish: rows are counted.",
    "size": "How many rows to ask for. Without it MEMBERSHIPS_EXPORT_PAGE_SIZE.",
    "empty_pages": "How many empty pages in a row, each naming another one, are gone through.",
}
KEYS: Mapping[str, Mapping[str, str]] = {
    "Profile": {
        "version": "Of the language of profiles, not of this one.",
        "description": "Which API this is, for `memberships-export profiles`.",
        "user": "How the API's own id of a user is found. Without it the API knows users by the ids of their tokens.",
        "request": "What is asked.",
        "auth": "What proves who we are.",
        "rows": "Where the rows are, and how they are told apart.",
        "paginator": "How the pages are walked.",
        "total": "Where the API says how many rows there are.",
        "columns": "The columns of the file, in their order.",
        "filters": "What members may narrow an export by, under the names that they use.",
    },
    "Request": {
        "path": "Where the rows are, behind MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL. Begins with /.",
        "method": "POST sends `json`.",
        "params": "The query. Paging adds its own params.",
        "headers": "Headers beside those of [auth], such as Accept.",
        "json": "The body of a POST, such as a query of GraphQL with its variables.",
        "first_page_only": "Names of params, also of filters, that may not go along when another page is asked for.",
        "compression": "`gzip` asks for compressed answers: sooner over a slow line, more work on one machine.",
        "errors_path": "Path to errors. What is there, and not empty, makes an answer with status 200 an error.",
    },
    "ServiceJwt": {},
    "Bearer": {"token": f"Where the token is. {_REFERENCE}"},
    "HttpBasic": {
        "username": "The name itself, or where it is.",
        "password": f"Where the password is; empty where the name alone is the key. {_REFERENCE}",
    },
    "ApiKey": {
        "name": "Name of the header or param.",
        "api_key": f"Where the key is. {_REFERENCE}",
        "location": "Where the API wants the key.",
        "prefix": "Goes before the key, such as `Token ` with a blank behind it.",
        "allow_key_in_url": "Must be true for a key in the query: many logs keep URLs. Ours leave it out.",
    },
    "OAuth2ClientCredentials": {
        "access_token_url": "Where the token is made.",
        "client_id": "The id itself, or where it is.",
        "client_secret": f"Where the secret is. {_REFERENCE}",
        "access_token_request_data": "What else the request for a token needs, such as scope or audience.",
        "credentials_in": "Whether id and secret go into the form, or into the header Authorization.",
    },
    "UserLookup": {
        "path": "Where users are found, behind MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL. Begins with /.",
        "params": "The query, such as `email`. It, or the path, holds `{user.email}`.",
        "rows": 'Path to the array of users that were found. "" when the answer itself is the array.',
        "id": "Path inside a row to the id. From then on it is `{user.id}`, and what `rows.owner` must equal.",
        "email": "Path inside a row to the address. Exactly one row must have the address of the export.",
    },
    "Rows": {
        "path": 'Path to the array of rows. "" when the page itself is the array.',
        "key": "Paths inside a row that together tell it from all others. No key may come twice.",
        "order": "The order of the keys that the API promises.",
        "owner": "Path inside a row to its user. Without it, a user that cannot exist must get no rows.",
        "encoding": "Whether rows are objects, arrays beside the names of the columns, or objects one a line.",
        "columns_path": "Path to those names, with `arrays`. Without it `columns`.",
    },
    "Paginator": _OF_EVERY_PAGINATOR,
    "SinglePage": {},
    "PageNumber": {
        **_OF_EVERY_PAGINATOR,
        "page_param": "Param with the number of the page; with POST a path in `json`.",
        "base_page": "Number of the first page.",
        "has_more_path": _HAS_MORE,
        "short_page_is_last": _SHORT,
    },
    "Offset": {
        **_OF_EVERY_PAGINATOR,
        "offset_param": "Param with the number of rows to leave out; with POST a path in `json`.",
        "has_more_path": _HAS_MORE,
        "short_page_is_last": _SHORT,
    },
    "Cursor": {
        **_OF_EVERY_PAGINATOR,
        "cursor_path": "Path to the cursor of the next page.",
        "cursor_param": "Param that takes it; with POST a path in `json`, such as variables.after.",
        "has_more_path": _HAS_MORE,
        "required": _REQUIRED,
    },
    "JsonLink": {
        **_OF_EVERY_PAGINATOR,
        "next_url_path": "Path to the address of the next page. Only its query is taken, and only from the same host.",
        "has_more_path": _HAS_MORE,
        "required": _REQUIRED,
    },
    "HeaderLink": {**_OF_EVERY_PAGINATOR, "rel": "Which link of the header `Link` leads to the next page."},
    "LastKey": {
        **_OF_EVERY_PAGINATOR,
        "param": "Param with the key of the last row; with POST a path in `json`.",
        "has_more_path": _HAS_MORE,
    },
    "Total": {
        "from": "Where the total is. The other keys say it anyway; `none` says that there is none.",
        "path": "Path to the total.",
        "header": "Header with the total.",
        "unit": "Whether rows are counted, or pages (with page_number only).",
        "exact": "An estimate is shown as progress, and proves nothing.",
        "cap": "A total from here on is none: some APIs stop counting.",
        "optional": "It may be missing. Otherwise a first page without it is an error.",
    },
    "Column": {
        "name": "Heads the column.",
        "type": "What the value is, and so how it is written.",
        "path": "Path inside a row to the value. Without it the value is under the name, as it is.",
        "required": "The value is never missing and never null.",
        "optional": "The value may be missing in every row. Otherwise a column that is nowhere is a problem.",
        "map": "What is there, and what is written instead.",
        "join": "What goes between the texts of a list.",
        "zone": "Zone of times that name none, such as Europe/Zurich. With date and datetime.",
        "currency": "Path inside a row to the ISO 4217 code of an amount, with minor_units or decimal.",
        "exponent": "Decimal places of minor_units where the API has one currency and does not say which.",
        "exponents": "Decimal places by code, where the API differs from ISO 4217.",
        "value": "What a constant holds in each row.",
        "labels": "What heads the column where people read the file, by language: de, or de-CH.",
    },
    "Filter": {
        "param": "Param that narrows the rows; with POST a path in `json`. What the request says there is replaced.",
        "type": "`choice`: one of `values`. `date`: a date such as 2026-01-31.",
        "values": "What a member may say, and what the API is sent for it.",
        "labels": "What the filter is called where people choose, by language.",
    },
}
