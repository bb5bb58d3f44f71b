"""A profile: how one memberships API is asked, how its pages are walked, and what its rows mean.

Each class is a table of the TOML file and its fields are the keys; the JSON Schema is made of them. The words are those
of dlt's `rest_api` (https://dlthub.com/docs/dlt-ecosystem/verified-sources/rest_api/basic), which users may know.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

Text = Annotated[str, Meta(min_length=1)]
# Where a secret is: never the secret itself.
REFERENCE = r"(env:[A-Za-z_][A-Za-z0-9_]*|secret:[A-Za-z0-9/_+=.@:-]+)"
SecretRef = Annotated[str, Meta(pattern=f"^{REFERENCE}$")]
SecretRefOrNothing = Annotated[str, Meta(pattern=f"^{REFERENCE}?$")]
Path = Annotated[str, Meta(description='Names and places: plan.amount, items[0].price, "@odata.nextLink"')]
Size = Annotated[int, Meta(ge=1, le=10_000)]


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file. Keys that it does not have are refused."""


class Request(Table, frozen=True, kw_only=True):
    """What is asked. Texts may hold `{user.id}`, `{user.email}` and `{page.size}`."""

    path: Text  # below MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL, beginning with /
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, str | int | bool] = {}  # msgspec copies it
    headers: dict[str, str] = {}
    json: dict[str, Any] | None = None  # the body of a POST, such as a query of GraphQL and its variables
    first_page_only: tuple[str, ...] = ()  # params that may not go beside a cursor
    compression: Literal["none", "gzip"] = "none"  # of answers; over a slow line they come sooner
    errors_path: Path | None = None  # what is there, and not empty, makes the answer an error in spite of status 200


class ServiceJwt(Table, frozen=True, kw_only=True, tag_field="type", tag="service_jwt"):
    """A short-lived token for the user, signed with MEMBERSHIPS_EXPORT_SERVICE_SECRET."""


class Bearer(Table, frozen=True, kw_only=True, tag_field="type", tag="bearer"):
    """`Authorization: Bearer …`."""

    token: SecretRef


class HttpBasic(Table, frozen=True, kw_only=True, tag_field="type", tag="http_basic"):
    """Name and password (RFC 7617)."""

    username: Text  # the name itself, or env:NAME or secret:ID
    password: SecretRefOrNothing = ""  # empty where the name is a key, as some APIs have it


class ApiKey(Table, frozen=True, kw_only=True, tag_field="type", tag="api_key"):
    """A key in a header, or in the query."""

    name: Text  # of the header or parameter
    api_key: SecretRef
    location: Literal["header", "query"] = "header"
    prefix: str = ""  # before the key, such as "Token "
    allow_key_in_url: bool = False  # a URL is kept in many logs; ours leave it out


class OAuth2ClientCredentials(Table, frozen=True, kw_only=True, tag_field="type", tag="oauth2_client_credentials"):
    """A token of an authorization server, for client id and secret (RFC 6749 4.4)."""

    access_token_url: Text
    client_id: Text  # the id itself, or env:NAME or secret:ID
    client_secret: SecretRef
    access_token_request_data: dict[str, str] = {}  # such as scope or audience
    credentials_in: Literal["body", "header"] = "body"


Auth = ServiceJwt | Bearer | HttpBasic | ApiKey | OAuth2ClientCredentials


class UserLookup(Table, frozen=True, kw_only=True):
    """How the API's own id of a user is found, by the verified address: in exactly one row, whose address equals it."""

    path: Text
    params: dict[str, str | int | bool] = {}
    rows: Path  # where the rows are; "" when the answer itself is the array
    id: Path
    email: Path


class Rows(Table, frozen=True, kw_only=True):
    """Where the rows are, and how they are told apart."""

    path: Path  # "" when the page itself is the array
    key: Annotated[tuple[Path, ...], Meta(min_length=1)]  # together unique over all rows
    order: Literal["rising", "falling", "none"] = "none"
    owner: Path | None = None  # must equal the user; without it a user that cannot exist must get no rows
    encoding: Literal["objects", "arrays", "ndjson"] = "objects"
    columns_path: Path | None = None  # arrays: where the page names what stands in each place of a row


class Paginator(Table, frozen=True, kw_only=True):
    """What every way of paging may say."""

    size_param: Text | None = None  # a wish: rows are counted, never assumed
    size: Size | None = None  # without it MEMBERSHIPS_EXPORT_PAGE_SIZE
    empty_pages: Annotated[int, Meta(ge=0, le=100)] = 3  # in a row, each naming another one


class SinglePage(Table, frozen=True, kw_only=True, tag_field="type", tag="single_page"):
    """All rows in one answer."""


class PageNumber(Paginator, frozen=True, kw_only=True, tag_field="type", tag="page_number"):
    """Pages are counted."""

    page_param: Text = "page"
    base_page: int = 1
    has_more_path: Path | None = None
    short_page_is_last: bool = False  # then completeness is guessed


class Offset(Paginator, frozen=True, kw_only=True, tag_field="type", tag="offset"):
    """Rows are counted, those received."""

    offset_param: Text = "offset"
    has_more_path: Path | None = None
    short_page_is_last: bool = False


class Cursor(Paginator, frozen=True, kw_only=True, tag_field="type", tag="cursor"):
    """Each page names the next by a text."""

    cursor_path: Path
    cursor_param: Text
    has_more_path: Path | None = None
    required: bool = False  # the cursor is in every page, and null in the last one


class JsonLink(Paginator, frozen=True, kw_only=True, tag_field="type", tag="json_link"):
    """Each page holds the address of the next."""

    next_url_path: Path
    has_more_path: Path | None = None
    required: bool = False


class HeaderLink(Paginator, frozen=True, kw_only=True, tag_field="type", tag="header_link"):
    """The header `Link` has the address of the next page (RFC 8288)."""

    rel: Text = "next"


class LastKey(Paginator, frozen=True, kw_only=True, tag_field="type", tag="last_key"):
    """The key of the last row asks for the rows after it."""

    param: Text
    has_more_path: Path | None = None


AnyPaginator = SinglePage | PageNumber | Offset | Cursor | JsonLink | HeaderLink | LastKey


class Total(Table, frozen=True, kw_only=True):
    """How many rows, or pages, the API says there are."""

    source: Literal["path", "header", "none"] | None = field(
        name="from", default=None
    )  # what the other keys say anyway
    path: Path | None = None
    header: Text | None = None
    unit: Literal["items", "pages"] = "items"
    exact: bool = True  # an estimate shows progress and proves nothing
    cap: int | None = None  # a total from here on is no total
    optional: bool = False  # it may be missing


Kind = Literal[
    "text",
    "integer",
    "decimal",
    "minor_units",
    "boolean",
    "date",
    "datetime",
    "epoch",
    "epoch_ms",
    "date_or_text",
    "constant",
]


class Column(Table, frozen=True, kw_only=True):
    """One column of the file."""

    name: Text
    type: Kind = "text"
    path: Path | None = None  # without it the name
    required: bool = False  # never missing, never null
    optional: bool = False  # may be missing in every row
    map: dict[str, str] = {}  # what is there -> what is written
    join: str | None = None  # between the texts of a list
    zone: Text | None = None  # of dates that name none, such as Europe/Zurich
    currency: Path | None = None  # of amounts: where the ISO 4217 code is
    exponent: Annotated[int, Meta(ge=0, le=8)] | None = None  # minor_units: decimal places, without a currency
    exponents: dict[str, Annotated[int, Meta(ge=0, le=8)]] = {}  # where the API differs from ISO 4217
    value: str | None = None  # constant
    labels: dict[str, str] = {}  # by language


class Filter(Table, frozen=True, kw_only=True):
    """What a member may narrow an export by, as a parameter of the API."""

    param: Text  # of the query; with a POST, where in its JSON
    type: Literal["choice", "date"] = "choice"
    values: dict[str, Text] = {}  # choice: what a member may say -> what the API is sent
    labels: dict[str, str] = {}  # by language


class Profile(Table, frozen=True, kw_only=True):
    """The whole file."""

    version: Literal[1]
    description: str = ""
    user: UserLookup | None = None  # without it the API knows users by the ids of their tokens
    request: Request
    auth: Auth = ServiceJwt()
    rows: Rows
    paginator: AnyPaginator
    total: Total | None = None
    columns: Annotated[tuple[Column, ...], Meta(min_length=1)]
    filters: dict[str, Filter] = {}  # by the name that members use


class KnownProfile(Struct, frozen=True):
    """A profile as it is in force: its name, its text, and what names this version of it."""

    name: str
    text: str
    fingerprint: str  # the first 16 hex digits of the SHA-256 of the text
    profile: Profile
