"""A deployment that says the language, the zone and the looks of its mails."""

from dataclasses import fields

import pytest

from memberships_export.settings import Settings, read_settings
from tests.infra.synthesis import EXISTING, OWN_SERVER, Synthesised, Synthesiser
from tests.infra.test_template import as_deployed, functions, only

GIVEN = {
    "mailFrom": "TSV Köln 1899 <exports@example.org>",
    "mailReplyTo": "office@example.org",
    "contact": "https://club.example.org/contact",
    "brandName": "TSV Köln 1899 e. V.",
    "brandLogoUrl": "https://club.example.org/logo.png",
    "brandColour": "#AA0000",
    "language": "de-ch",
    "timeZone": "europe/zurich",
    "sendgridUrl": "https://api.eu.sendgrid.com",
    "sendgridWebhookKey": "key",
}
# What the stack never sets, by the reason.
NO_PARAMETERS = {
    "of one machine": "alert_command alert_minutes alert_url api_processes data_dir max_connections metrics_host "
    "metrics_port smtp_plain_hosts sweep_seconds visibility_seconds worker_threads workers",
    "secrets come from Secrets Manager": "audit_secret introspection_client_secret jwt_secret link_secret "
    "sendgrid_api_key service_secret smtp_password",
    "the stack takes tokens of a JWKS, and mails by STARTTLS": "alb_arn introspection_client_id introspection_url "
    "jwt_email_claim jwt_email_verified_claim jwt_user_claim service_audience smtp_port smtp_security userinfo_url",
    "limits and patience, for whoever edits infra/environment.py": "after_unknown_send attachment_limit_bytes "
    "evidence_wait_seconds exports_per_hour first_back_off_seconds give_up_hours keep_audit_days keep_files_days "
    "keep_records_days lease_seconds longest_back_off_seconds max_hours max_megabytes max_pages "
    "memberships_timeout_seconds nudge_seconds page_size refused_minutes send_limit_seconds stalled_claims "
    "unclear_sends",
}


@pytest.fixture(scope="module")
def club(synth: Synthesiser) -> Synthesised:
    return synth("split", **GIVEN)


def settings_of(stack: Synthesised) -> dict[str, Settings]:
    told = {name: one["Environment"]["Variables"] for name, one in functions(stack).items()}
    (container,) = only(stack.of_type("ECS::TaskDefinition"))["ContainerDefinitions"]
    told["memberships-api"] = {one["Name"]: one["Value"] for one in container["Environment"]}
    return {
        program: read_settings({name: as_deployed(name, value) for name, value in variables.items()})
        for program, variables in told.items()
    }


def test_what_mails_knows_how_mails_look_and_who_sends_them(club: Synthesised) -> None:
    settings = settings_of(club)["SendExport"]

    assert settings.sender.name == "TSV Köln 1899"
    assert (settings.sender.address, settings.sender.reply_to) == ("exports@example.org", "office@example.org")
    assert (settings.brand.name, settings.brand.colour) == ("TSV Köln 1899 e. V.", "#aa0000")
    assert settings.brand.logo_url == "https://club.example.org/logo.png"
    assert settings.brand.contact == "https://club.example.org/contact"


def test_nobody_else_is_told(club: Synthesised) -> None:
    told = {name for name, settings in settings_of(club).items() if settings.brand != Settings().brand}
    senders = {name for name, settings in settings_of(club).items() if settings.sender != Settings().sender}

    assert told == {"SendExport"}
    assert senders == {"SendExport"}


def test_who_takes_requests_or_messages_knows_the_language_and_the_zone_for_those_that_name_none(
    club: Synthesised,
) -> None:
    known = {name: (settings.language, settings.time_zone) for name, settings in settings_of(club).items()}

    assert known.pop("SweepExports") == ("en", "UTC")
    assert set(known.values()) == {("de-CH", "Europe/Zurich")}


def test_settings_of_the_operators_shell_have_no_blanks_that_would_end_them(club: Synthesised) -> None:
    told = str(club.template["Outputs"]["OperatorSettings"])

    assert "Köln" not in told


def test_each_setting_is_set_by_the_stack_or_has_a_reason_why_not(synth: Synthesiser, club: Synthesised) -> None:
    told = "".join(str(stack.template) for stack in (club, synth("split", EXISTING, **OWN_SERVER)))
    unset = {field.name for field in fields(Settings) if f"'MEMBERSHIPS_EXPORT_{field.name.upper()}'" not in told}

    assert sorted(unset) == sorted(" ".join(NO_PARAMETERS.values()).split())
