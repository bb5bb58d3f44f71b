"""Certificates of this machine are read once, and verified with each connection."""

import ssl
from pathlib import Path

import pytest

from memberships_export.adapters.http.certificates import trusting_context
from memberships_export.adapters.identity.service_tokens import ServiceTokens
from memberships_export.adapters.source.call import MembershipsHttp
from memberships_export.domain.errors import MembershipsRefused
from rig.services.fake_memberships import FakeMemberships
from rig.services.fake_sendgrid import FakeSendGrid
from tests.contract.mailers import a_mail, sendgrid
from tests.readers import own_page

TOKENS = ServiceTokens("s" * 32, "memberships-export", "memberships-api")


@pytest.mark.usefixtures("trusted")
def test_connections_to_the_api_and_to_the_mail_service_read_them_once(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, load = list[ssl.SSLContext](), ssl.SSLContext.load_default_certs

    def watched(self: ssl.SSLContext, purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH) -> None:
        read.append(self)
        load(self, purpose)

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", watched)
    with FakeMemberships(5, tls=tls) as one, FakeMemberships(5, tls=tls) as other, FakeSendGrid(tls=tls) as mails:
        for fake in (one, other):
            own_page(MembershipsHttp(fake.url, TOKENS))
        sendgrid(mails.url).send(a_mail())

        assert (one.accepted, other.accepted, len(mails.accepted)) == (1, 1, 1)
    assert len(read) == 1


@pytest.mark.usefixtures("trusted")
def test_what_was_trusted_elsewhere_is_not_trusted_here(
    tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "others.pem").write_text("")
    with FakeMemberships(5, tls=tls) as fake:
        own_page(MembershipsHttp(fake.url, TOKENS))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "others.pem"))

        with pytest.raises(MembershipsRefused, match="certificate"):
            own_page(MembershipsHttp(fake.url, TOKENS))


def test_names_and_certificates_are_verified() -> None:
    context = trusting_context()

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
