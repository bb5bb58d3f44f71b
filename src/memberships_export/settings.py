"""Settings: environment variables, read once into one frozen object. The table in the docs is tested against it."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from memberships_export.domain.errors import InvalidAddress
from memberships_export.domain.export.policy import AfterUnknownSend, Policy
from memberships_export.domain.export.record import Stage
from memberships_export.domain.mail.address import checked_address

PREFIX = "MEMBERSHIPS_EXPORT_"
CLIENT_VARIABLES = ("MEMBERSHIPS_EXPORT_URL", "MEMBERSHIPS_EXPORT_TOKEN")  # read by the command line's client commands
MIN_SECRET = 32  # bytes; RFC 7518 3.2: as long as the hash


class SettingsError(Exception):
    """One or more variables are wrong; `problems` names each and what it expects."""

    def __init__(self, problems: list[str]) -> None:
        """Join the problems into one text."""
        self.problems = problems
        super().__init__("\n".join(problems))


def _text(value: str) -> str:
    return value


def _path(value: str) -> Path:
    return Path(value)


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isascii() or not value.isdecimal() or not low <= int(value) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(value)

    return parse


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(" or ".join(allowed))
        return value

    return parse


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("a URL like https://api.example.org, without query")
    return value.rstrip("/")


def _database_url(value: str) -> str:
    # Looked at as text: what urlsplit raises quotes the password.
    if not re.fullmatch(r"postgresql://[^/?#]*/[^/?#]+(\?[^#]*)?", value):
        raise ValueError("a URL like postgresql://user:password@host/database")
    return value


def _secret(value: str) -> str:
    if len(value.encode()) < MIN_SECRET:
        raise ValueError(f"a secret of at least {MIN_SECRET} bytes")
    return value


def _address(value: str) -> str:
    try:
        return checked_address(value)
    except InvalidAddress as error:
        raise ValueError("one plain email address") from error


def _stages(value: str) -> frozenset[Stage]:
    names = [name.strip() for name in value.split(",")]
    if not set(names) <= set(Stage):
        raise ValueError(f"a list like {','.join(Stage)}, or a part of it")
    return frozenset(map(Stage, names))


def _setting(parse: Callable[[str], Any], default: str | None, doc: str, *, secret: bool = False) -> Any:  # noqa: ANN401
    """Describe one variable. `default` is written as it would be in the environment; None: unset."""
    value = None if default is None else parse(default)
    return field(default=value, repr=not secret, metadata={"parse": parse, "default": default, "doc": doc})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set. A variable is the field's name in capitals behind MEMBERSHIPS_EXPORT_."""

    data_dir: Path = _setting(_path, "data", "Folder for the databases, files, secrets and the outbox.")
    host: str = _setting(_text, "127.0.0.1", "Address the API listens on.")
    port: int = _setting(_number(0, 65535), "8000", "Port the API listens on; 0 takes a free one.")
    public_url: str | None = _setting(
        _url, None, "Where users reach the API, for links in mails. Unset: the address it listens on."
    )
    memberships_url: str | None = _setting(
        _url, None, "Your memberships API, without the path /memberships. Unset: the bundled one is served and used."
    )
    memberships_database_url: str | None = _setting(
        _database_url,
        None,
        "PostgreSQL database of the bundled memberships API, like postgresql://user:password@host/database. "
        "Unset: a SQLite file in the data folder.",
        secret=True,
    )
    memberships_timeout_seconds: int = _setting(_number(1, 600), "30", "Longest wait for one page of memberships.")
    page_size: int = _setting(_number(1, 10_000), "5000", "Memberships fetched with one call.")
    jwt_secret: str | None = _setting(
        _secret, None, "HS256 secret of the users' tokens. Unset: made in the data folder at first start.", secret=True
    )
    jwks_url: str | None = _setting(
        _url, None, "JWKS of your identity provider (RS256, ES256). Set: replaces the HS256 secret for users' tokens."
    )
    jwt_issuer: str | None = _setting(_text, None, "Issuer (iss) that users' tokens must name. Unset: not checked.")
    jwt_audience: str = _setting(_text, "memberships", "Audience (aud) that users' tokens must name.")
    service_secret: str | None = _setting(
        _secret,
        None,
        "Signs the worker's own short-lived tokens (HS256). Unset: made in the data folder at first start.",
        secret=True,
    )
    link_secret: str | None = _setting(
        _secret, None, "Signs the download links. Unset: made in the data folder at first start.", secret=True
    )
    service_audience: str = _setting(_text, "memberships-api", "Audience (aud) of the worker's own tokens.")
    mailer: str = _setting(
        _choice("outbox", "sendgrid"), "outbox", "Where mails go: a folder of .eml files, or SendGrid."
    )
    mail_from: str = _setting(_address, "memberships-export@localhost", "Sender address of the mails.")
    sendgrid_api_key: str | None = _setting(_text, None, "SendGrid API key with the scope mail.send only.", secret=True)
    sendgrid_url: str = _setting(
        _url, "https://api.sendgrid.com", "Base URL of SendGrid (EU: https://api.eu.sendgrid.com)."
    )
    sendgrid_webhook_key: str | None = _setting(
        _text, None, "Public key of SendGrid's signed event webhook (base64). Unset: the webhook refuses all events."
    )
    workers: int = _setting(_number(1, 64), "2", "Exports worked on at the same time by one process.")
    exports_per_hour: int = _setting(_number(1, 1000), "10", "Exports one user may ask for within an hour.")
    lease_seconds: int = _setting(_number(1, 3600), "90", "How long a worker may be silent before another takes over.")
    visibility_seconds: int = _setting(_number(1, 43_200), "300", "Visibility timeout of the queue.")
    sweep_seconds: int = _setting(_number(1, 3600), "5", "Pause between two passes of the sweeper.")
    evidence_wait_seconds: int = _setting(
        _number(1, 86_400), "900", "How long to wait for SendGrid to tell what became of an unclear send."
    )
    after_unknown_send: AfterUnknownSend = _setting(
        AfterUnknownSend, "resend", "After that wait: resend (once, marked as a possible duplicate) or hold (fail)."
    )
    give_up_hours: int = _setting(
        _number(1, 720), "24", "How long to try while something that will pass is in the way."
    )
    keep_files_days: int = _setting(_number(1, 365), "7", "Days until the files of an export are deleted.")
    keep_records_days: int = _setting(_number(1, 3650), "30", "Days until the record of an export is deleted.")

    backend: str = _setting(
        _choice("embedded", "aws"), "embedded", "Where records, queue and files are: in the data folder, or on AWS."
    )
    table: str | None = _setting(_text, None, "AWS: name of the DynamoDB table of the records.")
    bucket: str | None = _setting(_text, None, "AWS: name of the S3 bucket of the files.")
    queue_url: str | None = _setting(
        _url, None, "AWS: URL of the SQS queue `membership_exports`. Its dead letter queue has `_dlq` behind the name."
    )
    render_queue_url: str | None = _setting(_url, None, "AWS, split form: URL of the queue of the render step.")
    deliver_queue_url: str | None = _setting(_url, None, "AWS, split form: URL of the queue of the deliver step.")
    stages: frozenset[Stage] = _setting(
        _stages, "fetch,render,deliver", "AWS, split form: the steps this function takes."
    )
    sendgrid_secret: str | None = _setting(
        _text, None, "AWS: Secrets Manager id of the SendGrid API key. Read when needed, so it can be rotated."
    )
    service_secret_id: str | None = _setting(
        _text, None, "AWS: Secrets Manager id of the service secret, instead of the secret itself."
    )
    link_secret_id: str | None = _setting(
        _text, None, "AWS: Secrets Manager id of the link secret, instead of the secret itself."
    )

    @property
    def policy(self) -> Policy:
        """The numbers the domain works with."""
        return Policy(
            lease=timedelta(seconds=self.lease_seconds),
            evidence_wait=timedelta(seconds=self.evidence_wait_seconds),
            after_unknown_send=self.after_unknown_send,
            give_up_after=timedelta(hours=self.give_up_hours),
            keep_files=timedelta(days=self.keep_files_days),
            keep_records=timedelta(days=self.keep_records_days),
            max_exports_per_hour=self.exports_per_hour,
            page_size=self.page_size,
        )


def variable(name: str) -> str:
    """Return the environment variable of a field."""
    return PREFIX + name.upper()


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read all settings. Raises SettingsError naming every wrong variable and what it expects."""
    problems = _unknown(environ)
    values: dict[str, Any] = {}
    for entry in fields(Settings):
        text = environ.get(variable(entry.name), "")
        if not text:
            continue
        try:
            values[entry.name] = entry.metadata["parse"](text)
        except ValueError as error:
            problems.append(_wrong(entry.name, text, error, shown=entry.repr))
    settings = Settings(**values) if not problems else Settings()
    problems += _missing(settings) + _inconsistent(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def _wrong(name: str, text: str, error: ValueError, *, shown: bool) -> str:
    expected = "resend or hold" if name == "after_unknown_send" else str(error)
    value = f"is {text!r}" if shown else "has a wrong value (not shown, it is a secret)"
    return f"{variable(name)} {value}, but must be {expected}."


def _missing(settings: Settings) -> list[str]:
    problems = _missing_on_aws(settings) if settings.backend == "aws" else []
    if settings.mailer == "sendgrid" and not (settings.sendgrid_api_key or settings.sendgrid_secret):
        problems.append(
            f"{variable('sendgrid_api_key')} is not set, but {variable('mailer')} is sendgrid: set the key."
        )
    if settings.mailer == "sendgrid" and settings.mail_from == Settings.mail_from:
        problems.append(
            f"{variable('mail_from')} is not set, but {variable('mailer')} is sendgrid: set it to an address that is "
            "verified with SendGrid."
        )
    return problems


def _missing_on_aws(settings: Settings) -> list[str]:
    needed = {
        "queue_url": settings.queue_url,
        "table": settings.table,
        "bucket": settings.bucket,
        "service_secret_id": settings.service_secret or settings.service_secret_id,
        "link_secret_id": settings.link_secret or settings.link_secret_id,
    }
    return [
        f"{variable(name)} is not set, but {variable('backend')} is aws: set it."
        for name, value in needed.items()
        if value is None
    ]


def _inconsistent(settings: Settings) -> list[str]:
    """Refuse numbers that are right alone, and wrong together."""
    if settings.lease_seconds > settings.memberships_timeout_seconds:
        return []
    lease, timeout = variable("lease_seconds"), variable("memberships_timeout_seconds")
    text = (
        f"{lease} is {settings.lease_seconds}, but must be more than {timeout}, which is "
        f"{settings.memberships_timeout_seconds}: a worker that waits for a slow page would lose its export to another."
    )
    return [text]


def _unknown(environ: Mapping[str, str]) -> list[str]:
    """Refuse a variable that nobody reads: most likely a typing error."""
    known = [variable(entry.name) for entry in fields(Settings)]
    strange = [name for name in environ if name.startswith(PREFIX) and name not in (*known, *CLIENT_VARIABLES)]
    return [f"{name} is not a setting{_did_you_mean(name, known)}" for name in sorted(strange)]


def _did_you_mean(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
    return f"; did you mean {close[0]}?" if close else "; docs/configuration.md lists them all."
