"""Settings: read once, refused with the variable's name and what it expects."""

from dataclasses import fields
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from traceback import format_exception

import pytest
from typer.testing import CliRunner

from memberships_export.domain.export.policy import AfterUnknownSend, Policy
from memberships_export.domain.export.record import Stage
from memberships_export.domain.formats.options import Likes
from memberships_export.entrypoints.aws_lambda.functions import export_function
from memberships_export.entrypoints.cli.exits import ExitCode
from memberships_export.entrypoints.cli.main import make_app
from memberships_export.settings import Settings, SettingsError, read_settings


def read(**environ: str) -> Settings:
    return read_settings({f"MEMBERSHIPS_EXPORT_{name}": value for name, value in environ.items()})


def test_nothing_has_to_be_set() -> None:
    assert read_settings({"PATH": "/bin"}) == Settings()
    assert Settings().data_dir == Path("data")


def test_an_empty_variable_is_an_unset_one() -> None:
    assert read(PORT="", JWKS_URL="") == Settings()


def test_settings_cannot_be_changed_once_read() -> None:
    with pytest.raises(AttributeError):
        read().port = 1  # type: ignore[misc]


def test_the_policy_follows_the_settings() -> None:
    policy = read(LEASE_SECONDS="37", AFTER_UNKNOWN_SEND="hold", KEEP_FILES_DAYS="2", GIVE_UP_HOURS="3").policy
    assert policy.lease == timedelta(seconds=37)
    assert policy.after_unknown_send is AfterUnknownSend.HOLD
    assert (policy.keep_files, policy.give_up_after) == (timedelta(days=2), timedelta(hours=3))


def test_every_number_of_the_policy_can_be_set() -> None:
    changed = read(
        **dict.fromkeys(
            ("LEASE_SECONDS", "SEND_LIMIT_SECONDS", "EVIDENCE_WAIT_SECONDS", "FIRST_BACK_OFF_SECONDS", "NUDGE_SECONDS"),
            "77",
        ),
        **dict.fromkeys(("LONGEST_BACK_OFF_SECONDS", "REFUSED_MINUTES", "EXPORTS_PER_HOUR", "PAGE_SIZE"), "88"),
        **dict.fromkeys(("GIVE_UP_HOURS", "KEEP_FILES_DAYS", "UNCLEAR_SENDS", "STALLED_CLAIMS"), "9"),
        **dict.fromkeys(
            (
                "KEEP_RECORDS_DAYS",
                "KEEP_AUDIT_DAYS",
                "MAX_PAGES",
                "MAX_MEGABYTES",
                "MAX_HOURS",
                "ATTACHMENT_LIMIT_BYTES",
            ),
            "99",
        ),
        AFTER_UNKNOWN_SEND="hold",
        LANGUAGE="de",
    ).policy
    left = {entry.name for entry in fields(Policy) if getattr(changed, entry.name) == getattr(Policy(), entry.name)}
    assert left == {"max_receives"}, "that is a property of the queue: infra/ makes it with five"


def test_the_defaults_of_the_settings_are_those_of_the_policy() -> None:
    assert Settings().policy == Policy()


def test_a_first_pause_longer_than_the_longest_is_refused_at_start() -> None:
    with pytest.raises(SettingsError, match=r"FIRST_BACK_OFF_SECONDS is 901, but must be at most .*, which is 900"):
        read(FIRST_BACK_OFF_SECONDS="901")
    assert named(FIRST_BACK_OFF_SECONDS="9999", LONGEST_BACK_OFF_SECONDS="x") == ["LONGEST_BACK_OFF_SECONDS"]
    assert read(FIRST_BACK_OFF_SECONDS="900").policy.first_back_off == timedelta(seconds=900)


def test_language_and_zone_are_taken_as_they_are_usually_written() -> None:
    settings = read(LANGUAGE="DE_ch", TIME_ZONE="europe/zurich")
    assert (settings.language, settings.time_zone) == ("de-CH", "Europe/Zurich")
    assert settings.policy.likes == Likes(languages=("de-CH",), time_zones=("Europe/Zurich",))


def test_a_url_is_taken_without_its_last_slash() -> None:
    assert read(PUBLIC_URL="https://exports.example.org/").public_url == "https://exports.example.org"


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("PORT", "80a", "MEMBERSHIPS_EXPORT_PORT is '80a', but must be a whole number from 0 to 65535."),
        ("PORT", "-1", "a whole number from 0 to 65535"),
        ("PORT", "٣", "a whole number from 0 to 65535"),
        ("PAGE_SIZE", "0", "MEMBERSHIPS_EXPORT_PAGE_SIZE is '0', but must be a whole number from 1 to 10000."),
        ("LANGUAGE", "sv", "'sv', but must be one of en, de, fr, it, nl, es, with or without a region, as de-CH."),
        ("LANGUAGE", "dee", "as de-CH; perhaps de."),
        ("LANGUAGE", "german", "must be one of en, de, fr, it, nl, es"),
        ("LANGUAGE", "*", "must be one of en, de, fr, it, nl, es"),
        ("TIME_ZONE", "Europe/Zürich", "a time zone of the IANA database, such as Europe/Berlin; perhaps "),
        ("TIME_ZONE", "Berlin", "; perhaps Europe/Berlin"),
        ("TIME_ZONE", "Europe", "a time zone of the IANA database"),
        ("TIME_ZONE", "../../etc/passwd", "a time zone of the IANA database"),
        ("TIME_ZONE", "+01:00", "a time zone of the IANA database"),
        ("TIME_ZONE", "localtime", "a time zone of the IANA database"),
        ("MAILER", "fax", "MEMBERSHIPS_EXPORT_MAILER is 'fax', but must be outbox or sendgrid or smtp."),
        ("AFTER_UNKNOWN_SEND", "wait", "is 'wait', but must be resend or hold."),
        ("MEMBERSHIPS_URL", "ftp://x", "is 'ftp://x', but must be a URL like https://api.example.org, without query."),
        ("MEMBERSHIPS_URL", "https://x?y=1", "without query"),
        ("MAIL_FROM", "a@b.example, c@d.example", "one plain email address"),
    ],
)
def test_a_wrong_value_is_refused_by_name_with_what_is_expected(name: str, value: str, message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**{name: value})
    assert message in str(refused.value)


def test_the_value_of_a_wrong_secret_is_not_shown() -> None:
    with pytest.raises(SettingsError) as refused:
        read(JWT_SECRET="hunter2")
    assert "MEMBERSHIPS_EXPORT_JWT_SECRET has a wrong value" in str(refused.value)
    assert "a secret of at least 32 bytes" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_secrets_do_not_show_in_the_settings_either() -> None:
    assert "s" * 40 not in repr(read(JWT_SECRET="s" * 40, SENDGRID_API_KEY="s" * 40))


@pytest.mark.parametrize("url", ["sqlite:///m.db", "postgresql://u:hunter2@h", "postgres://u:hunter2@h/d", "hunter2"])
def test_a_database_that_is_not_postgresql_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(MEMBERSHIPS_DATABASE_URL=url)
    assert "MEMBERSHIPS_DATABASE_URL has a wrong value (not shown, it is a secret)" in str(refused.value)
    assert "must be a URL like postgresql://user:password@host/database." in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_the_url_of_a_database_is_taken_as_it_is_and_never_shown() -> None:
    url = "postgresql://u:hunter2@db.example.org:5433/club?sslmode=require"
    settings = read(MEMBERSHIPS_DATABASE_URL=url)
    assert settings.memberships_database_url == url
    assert "hunter2" not in repr(settings)


def named(**environ: str) -> list[str]:
    """Return the variables that the refusal begins its lines with, without the prefix."""
    with pytest.raises(SettingsError) as refused:
        read(**environ)
    return [problem.split()[0].removeprefix("MEMBERSHIPS_EXPORT_") for problem in refused.value.problems]


def test_all_problems_are_told_at_once() -> None:
    assert named(PORT="x", WORKERS="0") == ["PORT", "WORKERS"]


def test_what_is_missing_is_told_beside_what_is_wrong() -> None:
    assert named(PORT="x", PORTT="1", BACKEND="aws", MAILER="sendgrid") == [
        *("PORTT", "PORT"),
        *(
            "SENDGRID_API_KEY",
            "MAIL_FROM",
            "QUEUE_URL",
            "TABLE",
            "BUCKET",
            "SERVICE_SECRET_ID",
            "LINK_SECRET_ID",
            "AUDIT_SECRET_ID",
        ),
    ]


def test_numbers_that_do_not_fit_each_other_are_told_beside_what_is_wrong() -> None:
    assert named(PORT="x", LEASE_SECONDS="5") == ["PORT", "LEASE_SECONDS"]


@pytest.mark.parametrize(
    "environ",
    [
        {"MAIL_FROM": "nobody", "MAILER": "sendgrid", "SENDGRID_API_KEY": "k"},  # is set, though wrong
        {"LINK_SECRET": "short", "BACKEND": "aws", "TABLE": "t", "BUCKET": "b"}
        | {"QUEUE_URL": "https://q.example.org", "SERVICE_SECRET_ID": "s", "AUDIT_SECRET_ID": "a"},
        {"MAILER": "pigeon", "MAIL_FROM": "memberships-export@localhost"},
        {"LEASE_SECONDS": "0"},
        {"LEASE_SECONDS": "10", "MEMBERSHIPS_TIMEOUT_SECONDS": "x"},  # nobody knows what 10 would be compared with
    ],
)
def test_a_wrong_value_is_told_once_and_not_what_follows_from_it(environ: dict[str, str]) -> None:
    assert len(named(**environ)) == 1


@pytest.mark.parametrize("value", ["8.0", "8e2", "+8", "-0", "8_0", " 8", "null", "true", "9" * 5000])
def test_what_only_some_parsers_take_for_a_whole_number_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="must be a whole number from 0 to 65535"):
        read(PORT=value)


def test_a_whole_number_may_have_leading_zeros() -> None:
    assert read(PORT="08000").port == 8000


def test_a_text_that_looks_like_a_number_or_nothing_stays_a_text() -> None:
    assert (read(JWT_AUDIENCE="42").jwt_audience, read(JWT_ISSUER="null").jwt_issuer) == ("42", "null")


def test_several_audiences_are_separated_by_commas() -> None:
    assert read(JWT_AUDIENCE="memberships, 42").jwt_audiences == ("memberships", "42")
    assert read().jwt_audiences == ("memberships",)
    for wrong in (",", "memberships,", "a,,b", " "):
        with pytest.raises(SettingsError, match="must be one name, or several separated by commas"):
            read(JWT_AUDIENCE=wrong)


def test_a_list_may_have_blanks_and_must_hold_what_is_known() -> None:
    assert read(STAGES="fetch, render").stages == {Stage.FETCH, Stage.RENDER}
    with pytest.raises(SettingsError, match="STAGES is 'fetch,mail', but must be a list like fetch,render,deliver, or"):
        read(STAGES="fetch,mail")


def test_no_wrong_secret_shows_in_what_the_refusal_was_raised_from() -> None:
    wrong = dict.fromkeys(("JWT_SECRET", "MEMBERSHIPS_DATABASE_URL"), "hunter2")
    with pytest.raises(SettingsError) as refused:
        read(**wrong)
    assert "hunter2" not in "".join(format_exception(refused.value))


def test_sendgrid_without_a_key_is_refused_at_start() -> None:
    with pytest.raises(SettingsError, match="SENDGRID_API_KEY is not set, but MEMBERSHIPS_EXPORT_MAILER is sendgrid"):
        read(MAILER="sendgrid")


def test_sendgrid_without_a_sender_is_refused_at_start() -> None:
    with pytest.raises(SettingsError, match="MAIL_FROM is not set, but MEMBERSHIPS_EXPORT_MAILER is sendgrid: set it"):
        read(MAILER="sendgrid", SENDGRID_API_KEY="SG.key")


SMTP = {"MAILER": "smtp", "SMTP_HOST": "smtp.example.org", "MAIL_FROM": "exports@example.org"}


def test_a_server_and_a_sender_are_all_that_smtp_needs() -> None:
    settings = read(**SMTP)
    assert (settings.smtp_host, settings.smtp_security, settings.smtp_port) == ("smtp.example.org", "starttls", None)
    assert named(MAILER="smtp") == ["SMTP_HOST", "MAIL_FROM"]


@pytest.mark.parametrize(
    "host", ["localhost", "mail", "smtp.example.org", "xn--mller-kva.example", "127.0.0.1", "::1", "2001:db8::25"]
)
def test_a_server_is_a_name_or_an_ip_address(host: str) -> None:
    assert read(**SMTP | {"SMTP_HOST": host}).smtp_host == host


@pytest.mark.parametrize(
    "host",
    ["smtp.example.org:25", "127.0.0.1:25", "[::1]", "smtp://mail", "a b", "müller.example", "-a", "a\r\nb", ":"],
)
def test_what_is_no_server_is_refused(host: str) -> None:
    with pytest.raises(
        SettingsError, match=r"SMTP_HOST is .*, but must be a host name or an IP address, without a port"
    ):
        read(**SMTP | {"SMTP_HOST": host})


@pytest.mark.parametrize("given, missing", [("SMTP_USER", "SMTP_PASSWORD"), ("SMTP_PASSWORD", "SMTP_USER")])
def test_half_a_login_is_refused(given: str, missing: str) -> None:
    with pytest.raises(SettingsError, match=f"{missing} is not set, but MEMBERSHIPS_EXPORT_{given} is: set both") as no:
        read(**SMTP | {given: "hunter2"})
    assert "hunter2" not in str(no.value)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "::1"])
def test_mails_may_go_unencrypted_to_this_machine(host: str) -> None:
    assert read(**SMTP | {"SMTP_SECURITY": "none", "SMTP_HOST": host}).smtp_security == "none"


@pytest.mark.parametrize("host", ["mailpit", "smtp.example.org", "10.0.0.5", "localhost.example.org"])
def test_mails_may_go_unencrypted_only_to_a_server_that_is_named_for_that(host: str) -> None:
    plain = SMTP | {"SMTP_SECURITY": "none", "SMTP_HOST": host}
    with pytest.raises(
        SettingsError, match=f"SMTP_SECURITY is none, but MEMBERSHIPS_EXPORT_SMTP_HOST is {host}: mails"
    ):
        read(**plain)
    with pytest.raises(SettingsError, match="SMTP_SECURITY is none"):
        read(**plain | {"SMTP_PLAIN_HOSTS": "other"})
    assert read(**plain | {"SMTP_PLAIN_HOSTS": f"other, {host}"}).smtp_host == host


@pytest.mark.parametrize("host", ["localhost", "mailpit"])
def test_a_password_never_goes_unencrypted(host: str) -> None:
    environ = SMTP | {"SMTP_HOST": host, "SMTP_PLAIN_HOSTS": host, "SMTP_USER": "u", "SMTP_PASSWORD": "hunter2"}
    with pytest.raises(SettingsError, match=r"SMTP_SECURITY is none, but .*SMTP_USER is set: a password") as no:
        read(**environ, SMTP_SECURITY="none")
    assert "hunter2" not in str(no.value)
    assert "hunter2" not in repr(read(**environ))


def test_on_aws_the_password_may_be_in_secrets_manager() -> None:
    aws = dict.fromkeys(
        ("QUEUE_URL", "TABLE", "BUCKET", "SERVICE_SECRET_ID", "LINK_SECRET_ID", "AUDIT_SECRET_ID"), "https://x.example"
    )
    assert read(**SMTP, **aws, BACKEND="aws", SMTP_USER="u", SMTP_SECRET="id").smtp_secret == "id"
    assert named(**SMTP, **aws, BACKEND="aws", SMTP_SECRET="id") == ["SMTP_USER"]
    assert named(**SMTP, SMTP_USER="u", SMTP_SECRET="id") == ["SMTP_PASSWORD"]


@pytest.mark.parametrize("lease", ["29", "30"])
def test_a_lease_that_a_slow_page_outlasts_is_refused_at_start(lease: str) -> None:
    with pytest.raises(
        SettingsError, match=f"LEASE_SECONDS is {lease}, but must be more than .*_TIMEOUT_SECONDS, .*30"
    ):
        read(LEASE_SECONDS=lease)
    assert read(LEASE_SECONDS=lease, MEMBERSHIPS_TIMEOUT_SECONDS="28").lease_seconds == int(lease)


@pytest.mark.parametrize("hours", ["24", "48"])
def test_an_export_has_more_time_than_one_trouble_may_take(hours: str) -> None:
    with pytest.raises(SettingsError, match=f"MAX_HOURS is {hours}, but must be more than .*_GIVE_UP_HOURS, .*48"):
        read(MAX_HOURS=hours, GIVE_UP_HOURS="48")


def test_the_bounds_of_an_export_are_those_of_the_settings() -> None:
    policy = read(MAX_PAGES="7", MAX_MEGABYTES="3", MAX_HOURS="25", REFUSED_MINUTES="9").policy
    assert (policy.max_pages, policy.max_bytes, policy.max_time) == (7, 3_000_000, timedelta(hours=25))
    assert policy.refused_for == timedelta(minutes=9)


def test_a_misspelt_variable_is_refused_with_the_right_one() -> None:
    with pytest.raises(SettingsError, match=r"PAGESIZE is not a setting; did you mean MEMBERSHIPS_EXPORT_PAGE_SIZE\?"):
        read(PAGESIZE="10")
    with pytest.raises(SettingsError, match=r"ZZZZZZZZ is not a setting; docs/configuration.md lists them all"):
        read(ZZZZZZZZ="10")


def test_the_variables_of_the_client_commands_are_no_mistake() -> None:
    assert read(URL="http://x", TOKEN="t") == Settings()


# --- Who the users are ------------------------------------------------------------------------------------------------

INTROSPECTION = {
    "INTROSPECTION_URL": "https://id.example.org/introspect",
    "INTROSPECTION_CLIENT_ID": "exports",
    "INTROSPECTION_CLIENT_SECRET": "s3cret",
}
ALB = {
    "ALB_ARN": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/club/0123456789abcdef",
    "JWT_AUDIENCE": "the client id",
}
KNOWN_BY = [{"JWT_SECRET": "s" * 32}, {"JWKS_URL": "https://id.example.org/keys"}, INTROSPECTION, ALB]


@pytest.mark.parametrize("known_by", KNOWN_BY)
def test_one_way_of_knowing_users_is_enough(known_by: dict[str, str]) -> None:
    assert read(**known_by).makes_tokens is ("JWT_SECRET" in known_by)


@pytest.mark.parametrize("first, second", list(combinations(KNOWN_BY, 2)))
def test_two_ways_of_knowing_users_are_refused_by_name(first: dict[str, str], second: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**first, **second)
    names = " and ".join(f"MEMBERSHIPS_EXPORT_{next(iter(known_by))}" for known_by in (first, second))
    assert refused.value.problems == [f"{names} are set, but users are known in one way only: unset all but one."]


def test_an_endpoint_that_nobody_can_ask_is_refused() -> None:
    assert named(INTROSPECTION_URL="https://id.example.org/introspect") == [
        "INTROSPECTION_CLIENT_ID",
        "INTROSPECTION_CLIENT_SECRET",
    ]
    assert named(INTROSPECTION_CLIENT_SECRET="s3cret") == ["INTROSPECTION_CLIENT_SECRET"]
    assert named(INTROSPECTION_URL="id.example.org", INTROSPECTION_CLIENT_ID="x") == ["INTROSPECTION_URL"]


def test_the_secret_of_the_endpoint_does_not_show() -> None:
    assert "s3cret" not in repr(read(**INTROSPECTION))


def test_behind_a_load_balancer_its_client_id_is_needed_and_no_userinfo() -> None:
    assert named(ALB_ARN=ALB["ALB_ARN"]) == ["JWT_AUDIENCE"]
    assert named(**ALB, USERINFO_URL="https://id.example.org/userinfo") == ["USERINFO_URL"]


def told(command: str, folder: Path, **environ: str) -> list[str]:
    """Return what a command that does not start says is wrong, one line each."""
    variables = {f"MEMBERSHIPS_EXPORT_{name}": value for name, value in environ.items()}
    result = CliRunner().invoke(make_app(), [command], env=variables | {"MEMBERSHIPS_EXPORT_DATA_DIR": str(folder)})
    assert result.exit_code == ExitCode.USAGE
    assert not folder.exists(), "nothing is made before all is right"
    return result.stderr.splitlines()


def test_a_wrong_number_hides_no_wrong_profile_url_or_key(tmp_path: Path) -> None:
    profile = tmp_path / "club.toml"
    profile.write_text("version = 2\n")
    wrong = {
        "WORKERS": "x",
        "PORTT": "1",
        "PROFILE": str(profile),
        "MEMBERSHIPS_URL": "http://api.example.org",
        "JWKS_URL": "http://login.example.org/keys",
        "USERINFO_URL": "http://login.example.org/me",
        "MAILER": "sendgrid",
        "SENDGRID_URL": "http://mail.example.org",
        "SENDGRID_WEBHOOK_KEY": "no-key",
    }
    of_users = {"JWKS_URL", "USERINFO_URL", "SENDGRID_WEBHOOK_KEY"}
    for command, unread in (("serve", set[str]()), ("api", set()), ("worker", of_users)):
        lines = told(command, tmp_path / "data", **wrong)

        for name in wrong.keys() - {"MAILER", *unread}:
            assert any(line.startswith(f"MEMBERSHIPS_EXPORT_{name}") for line in lines), name
        assert any(line.startswith("MEMBERSHIPS_EXPORT_SENDGRID_API_KEY is not set") for line in lines)


def test_a_worker_without_a_port_hides_nothing_else(tmp_path: Path) -> None:
    lines = told("worker", tmp_path / "data", PORT="0", PROFILE="nowhere.toml")

    assert [line.split(" ", 2)[0] for line in lines] == ["MEMBERSHIPS_EXPORT_PROFILE", "A"]


def test_the_secrets_of_a_profile_are_told_with_what_is_wrong_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STRIPE_API_KEY", raising=False)
    wrong = {"PROFILE": "stripe", "MEMBERSHIPS_URL": "https://api.example.org", "WORKERS": "x"}

    number, secret = told("worker", tmp_path / "data", **wrong)
    (alone,) = told("api", tmp_path / "data", **wrong)

    assert number == alone == "MEMBERSHIPS_EXPORT_WORKERS is 'x', but must be a whole number from 1 to 64."
    assert "env:STRIPE_API_KEY is not set" in secret


def test_a_function_on_aws_tells_all_at_once_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRIPE_API_KEY", raising=False)
    environ = {"BACKEND": "aws", "PROFILE": "stripe", "MEMBERSHIPS_URL": "https://api.example.org", "WORKERS": "x"}

    with pytest.raises(SettingsError) as refused:
        export_function({f"MEMBERSHIPS_EXPORT_{name}": value for name, value in environ.items()})

    text = str(refused.value)
    for part in (
        "WORKERS is 'x'",
        "QUEUE_URL is not set",
        "MAILER is outbox",
        "PUBLIC_URL is not set",
        "STRIPE_API_KEY",
    ):
        assert part in text


@pytest.mark.parametrize("text", ["'unclosed hunter2", " ", '"'])
def test_a_command_that_cannot_be_read_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(ALERT_COMMAND=text)
    assert "MEMBERSHIPS_EXPORT_ALERT_COMMAND" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_on_aws_alarms_wake_people_and_not_a_command_or_url() -> None:
    with pytest.raises(SettingsError) as caught:
        read(BACKEND="aws", ALERT_COMMAND="wake", ALERT_URL="https://h.example.org/x")
    found = [line for line in str(caught.value).splitlines() if "ALERT" in line]
    assert [line.split()[0] for line in found] == ["MEMBERSHIPS_EXPORT_ALERT_COMMAND", "MEMBERSHIPS_EXPORT_ALERT_URL"]
