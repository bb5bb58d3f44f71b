"""What the functions and the container are given: names, addresses and ARNs, never a secret."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.parameters import Parameters
from infra.profile import in_function
from infra.queues import WorkerQueue
from infra.secrets import Secrets
from infra.storage import Storage
from infra.topology import STAGES

API_PORT = 8000
_PREFIX = "MEMBERSHIPS_EXPORT_"
_LOGS = {"LOG_FORMAT": "json"}  # the metrics are read off it


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Makes the environment variables of each program from the parts of the stack."""

    parameters: Parameters
    queues: Sequence[WorkerQueue]
    storage: Storage
    secrets: Secrets

    def for_worker(self, own: WorkerQueue) -> dict[str, str]:
        """Return the variables of a function that takes messages from this queue."""
        variables = self._everybody() | _LOGS | self._who_says_nothing()
        if own.stages != STAGES:
            variables["STAGES"] = ",".join(own.stages)
        if "fetch" in own.stages:
            variables |= self._memberships()
        if "deliver" in own.stages:
            variables |= self._mailer() | self._look()
        return _named(variables)

    def for_sweeper(self) -> dict[str, str]:
        """Return the variables of the sweeper, which settles failures that nobody else did."""
        return _named(self._everybody() | _LOGS)

    def for_operator(self) -> dict[str, str]:
        """Return the variables of a person's shell, for the dead letter desk of the command line."""
        return _named(self._everybody())

    def for_api(self) -> dict[str, str]:
        """Return the variables of the API's container."""
        given = self.parameters
        optional = _given(
            MEMBERSHIPS_URL=given.memberships_url,  # unset: the bundled memberships API is served
            JWT_ISSUER=given.jwt_issuer,
            SENDGRID_WEBHOOK_KEY=given.sendgrid_webhook_key,
        )
        fixed = {
            "HOST": "0.0.0.0",  # noqa: S104  (inside the container; its security group admits the load balancer only)
            "PORT": str(API_PORT),
            "JWKS_URL": given.jwks_url,
            "JWT_AUDIENCE": given.jwt_audience,
        }
        return _named(self._everybody() | _LOGS | self._who_says_nothing() | fixed | optional)

    def _who_says_nothing(self) -> dict[str, str]:
        """Return what holds for a request, or a message, that names no language and no zone."""
        return _given(LANGUAGE=self.parameters.language, TIME_ZONE=self.parameters.time_zone)

    def _look(self) -> dict[str, str]:
        """Return from whom mails come, and how they look."""
        given = self.parameters
        optional = _given(
            MAIL_REPLY_TO=given.mail_reply_to,
            CONTACT=given.contact,
            BRAND_NAME=given.brand_name,
            BRAND_LOGO_URL=given.brand_logo_url,
            BRAND_COLOUR=given.brand_colour,
        )
        return {"MAIL_FROM": given.mail_from, **optional}

    def _mailer(self) -> dict[str, str]:
        given, secret = self.parameters, self.secrets.mail.secret_arn
        if given.smtp_host and given.smtp_user:
            return {"MAILER": "smtp", "SMTP_HOST": given.smtp_host, "SMTP_USER": given.smtp_user, "SMTP_SECRET": secret}
        sendgrid = {"MAILER": "sendgrid", "SENDGRID_SECRET": secret}
        return sendgrid | _given(SENDGRID_URL=given.sendgrid_url)

    def _memberships(self) -> dict[str, str]:
        given = self.parameters
        optional = _given(
            PLAIN_HTTP_HOSTS=",".join(given.plain_http_hosts),
            PROFILE=in_function(given.profile) if given.profile else "",
        )
        return {"MEMBERSHIPS_URL": given.memberships_url or given.public_url, **optional}

    def _everybody(self) -> dict[str, str]:
        first = self.queues[0]
        others = {stage: queue for queue in self.queues if queue is not first for stage in queue.stages}
        return {
            "BACKEND": "aws",
            "QUEUE_URL": first.queue.queue_url,
            **{f"{stage.upper()}_QUEUE_URL": queue.queue.queue_url for stage, queue in others.items()},
            "TABLE": self.storage.table.table_name,
            "BUCKET": self.storage.bucket.bucket_name,
            "PUBLIC_URL": self.parameters.public_url,
            "SERVICE_SECRET_ID": self.secrets.service.secret_arn,
            "LINK_SECRET_ID": self.secrets.links.secret_arn,
            "AUDIT_SECRET_ID": self.secrets.audit.secret_arn,
        }


def _given(**optional: str | None) -> dict[str, str]:
    """Leave out what is not given: the programs know what holds then."""
    return {name: value for name, value in optional.items() if value}


def _named(variables: Mapping[str, str]) -> dict[str, str]:
    return {_PREFIX + name: value for name, value in variables.items()}
