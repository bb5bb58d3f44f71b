"""All settings, one entry each: name, type, default, the row in docs/configuration.md, and whether it is a secret."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from memberships_export.domain.export.policy import AfterUnknownSend, Policy
from memberships_export.domain.export.record import Stage
from memberships_export.domain.formats.options import Likes
from memberships_export.domain.mail.brand import COLOUR, Brand
from memberships_export.domain.mail.sender import NAME, Sender, split_sender
from memberships_export.logs.formats import LogFormat
from memberships_export.settings.kinds import (
    Address,
    Colour,
    Command,
    Contact,
    DatabaseUrl,
    Host,
    HostNames,
    HttpsUrl,
    Language,
    MailFrom,
    Name,
    Names,
    Secret,
    Url,
    Zone,
    setting,
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set. A variable is the field's name in capitals behind MEMBERSHIPS_EXPORT_."""

    data_dir: Path = setting(Path("data"), "Folder for the databases, files, secrets and the outbox.")
    host: str = setting("127.0.0.1", "Address the API listens on.")
    port: Annotated[int, Meta(ge=0, le=65535)] = setting(8000, "Port the API listens on; 0 takes a free one.")
    max_connections: Annotated[int, Meta(ge=10, le=100_000)] = setting(
        1000,
        "Connections to one API process at the same time; fewer where the limit of open files (ulimit -n) is low.",
    )
    metrics_port: Annotated[int, Meta(ge=1, le=65535)] | None = setting(
        None, "One machine: port of `/metrics`, for Prometheus. Unset: there are none."
    )
    metrics_host: str = setting(
        "127.0.0.1",
        "Address that `/metrics` listens on. Whoever reaches it reads the numbers: leave it closed to users.",
    )
    public_url: Url | None = setting(
        None, "Where users reach the API, for links in mails. Unset: the address it listens on."
    )
    memberships_url: Url | None = setting(
        None, "Your memberships API, without the path /memberships. Unset: the bundled one is served and used."
    )
    plain_http_hosts: HostNames | None = setting(
        None,
        "Hosts, separated by commas, that may be called by plain http: containers and machines of a network of your "
        "own. For the memberships API, the token endpoint of its profile, and the endpoints of the identity provider.",
    )
    profile: str = setting(
        "memberships",
        "How your memberships API is asked and read: the name of a profile that comes with the service, or of a file "
        "(it ends in .toml or holds a /).",
    )
    memberships_database_url: DatabaseUrl | None = setting(
        None,
        "PostgreSQL database of the bundled memberships API, like postgresql://user:password@host/database. "
        "Unset: a SQLite file in the data folder.",
        secret=True,
    )
    memberships_timeout_seconds: Annotated[int, Meta(ge=1, le=600)] = setting(
        30, "Longest wait for one page of memberships."
    )
    page_size: Annotated[int, Meta(ge=1, le=10000)] = setting(5000, "Memberships fetched with one call.")
    jwt_secret: Secret | None = setting(
        None, "HS256 secret of the users' tokens. Unset: made in the data folder at first start.", secret=True
    )
    jwks_url: Url | None = setting(
        None, "JWKS of your identity provider (RS256, ES256), which then signs users' tokens in place of the secret."
    )
    introspection_url: Url | None = setting(
        None, "Your identity provider's introspection endpoint (RFC 7662), for tokens that only it can read."
    )
    introspection_client_id: str | None = setting(None, "Client id that the introspection endpoint knows us by.")
    introspection_client_secret: str | None = setting(None, "Client secret to that id.", secret=True)
    alb_arn: str | None = setting(
        None, "ARN of the Application Load Balancer that logs users in; its signed header x-amzn-oidc-data is believed."
    )
    userinfo_url: Url | None = setting(
        None, "Your identity provider's userinfo endpoint, for the address where a token proves none."
    )
    jwt_issuer: str | None = setting(None, "Issuer (iss) that users' tokens must name. Unset: not checked.")
    jwt_audience: Names = setting(
        "memberships",
        "Audience (aud) that users' tokens must name, or several, separated by commas, of which they must name one. "
        "Of tokens without aud it is the client_id, behind a load balancer the client id that this has.",
    )
    jwt_user_claim: str = setting(
        "sub", "Claim of users' tokens that holds the user id, text or a whole number; `user.id` is `id` within `user`."
    )
    jwt_email_claim: str = setting("email", "Claim that holds the address to mail to, named in the same way.")
    jwt_email_verified_claim: str = setting(
        "email_verified", "Claim that says whether that address is verified, named in the same way."
    )
    service_secret: Secret | None = setting(
        None,
        "Signs the worker's own short-lived tokens (HS256). Unset: made in the data folder at first start.",
        secret=True,
    )
    link_secret: Secret | None = setting(
        None, "Signs the download links. Unset: made in the data folder at first start.", secret=True
    )
    audit_secret: Secret | None = setting(
        None,
        "Makes the pseudonyms of members in the audit log; with another one, older entries of a member are not found "
        "any more. Unset: made in the data folder at first start.",
        secret=True,
    )
    service_audience: str = setting("memberships-api", "Audience (aud) of the worker's own tokens.")
    mailer: Literal["outbox", "sendgrid", "smtp"] = setting(
        "outbox", "Where mails go: a folder of .eml files, SendGrid, or an SMTP server."
    )
    mail_from: MailFrom = setting(
        "memberships-export@localhost",
        "Sender of the mails: an address, or `Name <address>`. Without a name it is that of the club, if it is set.",
    )
    mail_reply_to: Address | None = setting(None, "Where answers to the mails go. Unset: to the sender.")
    contact: Contact | None = setting(
        None,
        "Whom mails name for questions: an address, or a page (https). Unset: members are asked to tell their club.",
    )
    brand_name: Name | None = setting(None, "Name of the club, at the top of each mail. Unset: none.")
    brand_logo_url: HttpsUrl | None = setting(
        None, "Logo of the club (https), in place of its name. Mail programs load it when a member opens the mail."
    )
    brand_colour: Colour = setting(COLOUR, "Colour of the button and of links in mails, as #rrggbb.")
    sendgrid_api_key: str | None = setting(None, "SendGrid API key with the scope mail.send only.", secret=True)
    sendgrid_url: Url = setting("https://api.sendgrid.com", "Base URL of SendGrid (EU: https://api.eu.sendgrid.com).")
    sendgrid_webhook_key: str | None = setting(
        None, "Public key of SendGrid's signed event webhook (base64). Unset: the webhook refuses all events."
    )
    smtp_host: Host | None = setting(None, "SMTP server that takes the mails: its name, or its IP address.")
    smtp_port: Annotated[int, Meta(ge=1, le=65535)] | None = setting(
        None, "Its port. Unset: 587 with starttls, 465 with tls, 25 with none."
    )
    smtp_security: Literal["starttls", "tls", "none"] = setting(
        "starttls",
        "How the way to it is encrypted: starttls (asked for in the clear), tls (from the first byte), none. "
        "The certificate is checked.",
    )
    smtp_plain_hosts: HostNames | None = setting(
        None, "Servers, separated by commas, to which mails may go unencrypted. This machine always may."
    )
    smtp_user: str | None = setting(None, "Name to log in with. Unset: no login.")
    smtp_password: str | None = setting(None, "Password to log in with.", secret=True)
    language: Language = setting(
        "en",
        "Language of labels and mails where neither the request nor its user names one that there is: en, de, fr, it, "
        "nl or es, with or without a region, as de-CH.",
    )
    time_zone: Zone = setting(
        "UTC",
        "Time zone of times in files for people and in mails, where neither the request nor its user names one: its "
        "name in the IANA database, such as Europe/Berlin.",
    )
    log_format: LogFormat = setting("text", "How log lines are written: text, or JSON, one object for each line.")
    workers: Annotated[int, Meta(ge=1, le=64)] | None = setting(
        None, "Worker processes. Unset: one for each core that the service may use, and at least two."
    )
    worker_threads: Annotated[int, Meta(ge=1, le=64)] = setting(
        1, "Exports that each worker process works on at the same time."
    )
    api_processes: Annotated[int, Meta(ge=1, le=64)] = setting(
        1, "Processes that answer on the port of the API. With this and `workers` 1, all is one process."
    )
    exports_per_hour: Annotated[int, Meta(ge=1, le=1000)] = setting(10, "Exports one user may ask for within an hour.")
    lease_seconds: Annotated[int, Meta(ge=1, le=3600)] = setting(
        90, "How long a worker may be silent before another takes over."
    )
    visibility_seconds: Annotated[int, Meta(ge=1, le=43200)] = setting(300, "Visibility timeout of the queue.")
    sweep_seconds: Annotated[int, Meta(ge=1, le=3600)] = setting(5, "Pause between two passes of the sweeper.")
    evidence_wait_seconds: Annotated[int, Meta(ge=1, le=86400)] = setting(
        900, "How long to wait for SendGrid to tell what became of an unclear send."
    )
    after_unknown_send: AfterUnknownSend = setting(
        AfterUnknownSend.RESEND, "After that wait: resend (marked as a possible duplicate) or hold (fail)."
    )
    unclear_sends: Annotated[int, Meta(ge=1, le=10)] = setting(
        2, "Unclear sends of one mail, the first included, until its export fails."
    )
    send_limit_seconds: Annotated[int, Meta(ge=1, le=3600)] = setting(
        60, "Longest time from the decision to mail until the first byte leaves; after that it is decided anew."
    )
    attachment_limit_bytes: Annotated[int, Meta(ge=0, le=20_000_000)] = setting(
        5_000_000, "Largest file that is attached to its mail; a larger one is linked. 0 links every file."
    )
    first_back_off_seconds: Annotated[int, Meta(ge=1, le=86_400)] = setting(
        5, "Pause before the first new try after trouble. It doubles with each."
    )
    longest_back_off_seconds: Annotated[int, Meta(ge=1, le=86_400)] = setting(
        900, "Longest pause between two tries. An API may ask for a longer one."
    )
    nudge_seconds: Annotated[int, Meta(ge=1, le=3600)] = setting(
        10, "How long an export may stand still until its message is sent again. It doubles with each."
    )
    stalled_claims: Annotated[int, Meta(ge=2, le=100)] = setting(
        5, "Claims in a row by workers that got no further, until an export fails."
    )
    give_up_hours: Annotated[int, Meta(ge=1, le=720)] = setting(
        24, "How long to try while something that will pass is in the way."
    )
    refused_minutes: Annotated[int, Meta(ge=1, le=43_200)] = setting(
        60, "How long to try while the memberships API refuses us, which a person has to mend."
    )
    max_pages: Annotated[int, Meta(ge=1, le=1_000_000)] = setting(
        10_000, "Most pages of memberships that one export may have."
    )
    max_megabytes: Annotated[int, Meta(ge=1, le=1_000_000)] = setting(
        2000, "Most megabytes that the pages of one export may have."
    )
    max_hours: Annotated[int, Meta(ge=1, le=2160)] = setting(
        72, "Longest time from the start of an export, or of its redrive, until its last page is asked for."
    )
    keep_files_days: Annotated[int, Meta(ge=1, le=365)] = setting(7, "Days until the files of an export are deleted.")
    keep_records_days: Annotated[int, Meta(ge=1, le=3650)] = setting(
        30, "Days until the record of an export is deleted."
    )
    keep_audit_days: Annotated[int, Meta(ge=1, le=3650)] = setting(
        365, "Days until an entry of the audit log is deleted."
    )

    alert_command: Command | None = setting(
        None,
        "One machine: program that is run, once per kind of trouble and hour, to wake somebody. No shell reads it.",
        secret=True,
    )
    alert_url: Url | None = setting(
        None, "One machine: URL (https, or http on this machine) that is told the same as JSON.", secret=True
    )
    alert_minutes: Annotated[int, Meta(ge=1, le=1440)] = setting(
        15, "How long exports may wait for what may pass, or for a worker, until that is an alert."
    )

    backend: Literal["embedded", "aws"] = setting(
        "embedded", "Where records, queue and files are: in the data folder, or on AWS."
    )
    table: str | None = setting(None, "AWS: name of the DynamoDB table of the records.")
    bucket: str | None = setting(None, "AWS: name of the S3 bucket of the files.")
    queue_url: Url | None = setting(
        None, "AWS: URL of the SQS queue `membership_exports`. Its dead letter queue has `_dlq` behind the name."
    )
    render_queue_url: Url | None = setting(None, "AWS, split form: URL of the queue of the render step.")
    deliver_queue_url: Url | None = setting(None, "AWS, split form: URL of the queue of the deliver step.")
    stages: frozenset[Stage] = setting(frozenset(Stage), "AWS, split form: the steps this function takes.")
    sendgrid_secret: str | None = setting(
        None, "AWS: Secrets Manager id of the SendGrid API key. Read when needed, so it can be rotated."
    )
    smtp_secret: str | None = setting(
        None, "AWS: Secrets Manager id of the SMTP password. Read when needed, so it can be rotated."
    )
    service_secret_id: str | None = setting(
        None, "AWS: Secrets Manager id of the service secret, instead of the secret itself."
    )
    link_secret_id: str | None = setting(
        None, "AWS: Secrets Manager id of the link secret, instead of the secret itself."
    )
    audit_secret_id: str | None = setting(
        None, "AWS: Secrets Manager id of the audit secret, instead of the secret itself."
    )

    @property
    def jwt_audiences(self) -> tuple[str, ...]:
        """The audiences of `jwt_audience`, which are separated by commas."""
        return tuple(name.strip() for name in self.jwt_audience.split(","))

    @property
    def plain_http(self) -> frozenset[str]:
        """The hosts of `plain_http_hosts`, as they stand in a URL that was split: in lower case."""
        return frozenset(name.strip().lower() for name in (self.plain_http_hosts or "").split(",") if name)

    @property
    def makes_tokens(self) -> bool:
        """Whether users' tokens are signed with a secret of this installation."""
        return not (self.jwks_url or self.introspection_url or self.alb_arn)

    @property
    def smtp_plain(self) -> frozenset[str]:
        """The hosts of `smtp_plain_hosts`, in lower case."""
        return frozenset(name.strip().lower() for name in (self.smtp_plain_hosts or "").split(",") if name)

    @property
    def brand(self) -> Brand:
        """How mails look."""
        return Brand(name=self.brand_name, logo_url=self.brand_logo_url, colour=self.brand_colour, contact=self.contact)

    @property
    def sender(self) -> Sender:
        """Who mails come from."""
        name, address = split_sender(self.mail_from)
        named = name or self.brand_name or NAME
        return Sender(address=address, name=named, reply_to=self.mail_reply_to)

    @property
    def policy(self) -> Policy:
        """The settings that the domain decides by, as durations and counts."""
        return Policy(
            lease=timedelta(seconds=self.lease_seconds),
            evidence_wait=timedelta(seconds=self.evidence_wait_seconds),
            after_unknown_send=self.after_unknown_send,
            max_unclear_sends=self.unclear_sends,
            send_time_limit=timedelta(seconds=self.send_limit_seconds),
            attachment_limit=self.attachment_limit_bytes,
            first_back_off=timedelta(seconds=self.first_back_off_seconds),
            longest_back_off=timedelta(seconds=self.longest_back_off_seconds),
            nudge_after=timedelta(seconds=self.nudge_seconds),
            max_stalled_claims=self.stalled_claims,
            give_up_after=timedelta(hours=self.give_up_hours),
            refused_for=timedelta(minutes=self.refused_minutes),
            keep_files=timedelta(days=self.keep_files_days),
            keep_records=timedelta(days=self.keep_records_days),
            keep_audit=timedelta(days=self.keep_audit_days),
            max_exports_per_hour=self.exports_per_hour,
            page_size=self.page_size,
            max_pages=self.max_pages,
            max_bytes=self.max_megabytes * 1_000_000,
            max_time=timedelta(hours=self.max_hours),
            likes=Likes(languages=(self.language,), time_zones=(self.time_zone,)),
        )
