"""The secrets. Their values are never in the template: Secrets Manager makes three, a person puts in the other."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.grants import accept, allow

_READ = ("secretsmanager:GetSecretValue",)


class Secrets(Construct):
    """What mails are sent with, and the service's own secrets: one for each purpose, so that nobody can do more.

    `mail` is the SendGrid key, or the SMTP password.
    """

    def __init__(self, scope: Construct, name: str, *, key: kms.IKey, smtp: bool, of_profiles: Sequence[str]) -> None:
        """Make them, encrypted with the key.

        `smtp`: mails go to an SMTP server, not to SendGrid. `of_profiles`: ARNs of those that exist, for a memberships
        API.
        """
        super().__init__(scope, name)
        self._of_profiles = of_profiles
        self.mail = (
            self._secret("SmtpPassword", key, "Password for the SMTP server")
            if smtp
            else self._secret("SendGridKey", key, "SendGrid API key with the scope mail.send only")
        )
        self.service = self._secret("Service", key, "Signs the worker's tokens for the memberships API")
        self.links = self._secret("Links", key, "Signs the download links in mails")
        self.audit = self._secret("Audit", key, "Makes the pseudonyms of members in the audit log")
        accept(
            self.mail,
            "It is made and revoked by a person at the mail service; docs/deploy-aws.md says how to change it.",
            "AwsSolutions-SMG4",
        )
        accept(
            self.service,
            "Changing it must happen in the memberships API too; docs/deploy-aws.md says how.",
            "AwsSolutions-SMG4",
        )
        accept(self.links, "Changing it ends all links that were mailed.", "AwsSolutions-SMG4")
        accept(self.audit, "With another one, older entries of a member are not found any more.", "AwsSolutions-SMG4")

    def allow_mail(self, role: iam.IRole) -> None:
        """Allow to read what mails are sent with."""
        allow(role, _READ, self.mail.secret_arn)

    def allow_service(self, role: iam.IRole) -> None:
        """Allow to read what the worker's tokens are made and checked with."""
        allow(role, _READ, self.service.secret_arn)

    def allow_profiles(self, role: iam.IRole) -> None:
        """Allow to read the secrets that profiles name."""
        if self._of_profiles:
            allow(role, _READ, *self._of_profiles)

    def allow_links(self, role: iam.IRole) -> None:
        """Allow to read what the download links are made and checked with."""
        allow(role, _READ, self.links.secret_arn)

    def allow_audit(self, role: iam.IRole) -> None:
        """Allow to read what the pseudonyms of members are made with."""
        allow(role, _READ, self.audit.secret_arn)

    def _secret(self, name: str, key: kms.IKey, description: str) -> secretsmanager.Secret:
        return secretsmanager.Secret(
            self,
            name,
            description=description,
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
