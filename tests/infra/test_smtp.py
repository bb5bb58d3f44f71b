"""A deployment that mails through an SMTP server in place of SendGrid."""

import json

import pytest

from memberships_export.settings import read_settings
from tests.infra.permissions import permissions_of
from tests.infra.synthesis import EXISTING, OWN_SERVER, Synthesised, Synthesiser
from tests.infra.test_template import as_deployed, functions


@pytest.fixture(scope="module")
def smtp(synth: Synthesiser) -> Synthesised:
    return synth("split", EXISTING, **OWN_SERVER)


def test_what_sends_is_told_the_server_and_where_its_password_is(smtp: Synthesised) -> None:
    told = {name: one["Environment"]["Variables"] for name, one in functions(smtp).items()}
    settings = read_settings({name: as_deployed(name, value) for name, value in told["SendExport"].items()})

    assert settings.mailer == "smtp"
    assert (settings.smtp_host, settings.smtp_user) == ("email-smtp.eu-central-1.amazonaws.com", "AKIAEXAMPLE")
    assert settings.smtp_secret
    assert [name for name, variables in told.items() if "SMTP" in str(variables)] == ["SendExport"]


def test_only_what_sends_can_read_the_password(smtp: Synthesised) -> None:
    granted = permissions_of(smtp)

    assert [role for role, resources in granted.items() if "SecretsSmtpPassword" in resources] == ["SendExportRole"]


def test_nothing_of_sendgrid_is_left(smtp: Synthesised) -> None:
    assert "SendGrid" not in json.dumps(smtp.template)
    assert "SmtpSecret" in smtp.template["Outputs"]
