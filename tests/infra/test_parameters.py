from collections.abc import Callable
from pathlib import Path

import pytest

from infra.parameters import ParameterError, Parameters, read_parameters
from rig.aws.synthesis import run_app
from tests.infra.synthesis import ROOT, Synthesiser, read

Read = Callable[..., Parameters]


@pytest.fixture
def read_with(tmp_path: Path) -> Read:
    """Return what reads the parameters of cdk.json after some were changed."""

    def reading(**changed: object) -> Parameters:
        defaults = read(ROOT / "infra" / "cdk.json")["context"]
        return read_parameters(defaults | {"bundle": str(tmp_path), "imageTag": "2026-11-24"} | changed)

    return reading


def test_the_parameters_of_cdk_json_are_good_as_they_are(read_with: Read) -> None:
    parameters = read_with()

    assert (parameters.topology, parameters.concurrency) == ("one", 10)
    assert parameters.memberships_url is None


@pytest.mark.parametrize(
    "key, value, text",
    [
        ("topology", "two", "topology is 'two', but must be one or split."),
        ("topology", "", "topology is '', but must be one or split."),
        ("concurrency", "1", "concurrency is '1', but must be a whole number from 2 to 1000."),
        ("concurrency", "1001", "concurrency is '1001', but must be a whole number from 2 to 1000."),
        ("deliverConcurrency", "ten", "deliverConcurrency is 'ten', but must be a whole number from 2 to 1000."),
        ("domain", "https://x.org", "domain is 'https://x.org', but must be a host name like exports.example.org."),
        ("certificateArn", "abc", "certificateArn is 'abc', but must be an ARN that begins with arn:aws:acm:."),
        ("jwksUrl", "http://x.org", "jwksUrl is 'http://x.org', but must be a URL like https://api.example.org"),
        ("membershipsUrl", "x", "membershipsUrl is 'x', but must be a URL like https://api.example.org"),
        ("mailFrom", "a,b@x.org", "mailFrom is 'a,b@x.org', but must be one plain email address, or a name with one: "),
        ("mailFrom", "Club <a@localhost>", "mailFrom is 'Club <a@localhost>', but must be one plain email address."),
        ("mailReplyTo", "Club <a@x.org>", "mailReplyTo is 'Club <a@x.org>', but must be one plain email address."),
        ("contact", "http://x.org", "contact is 'http://x.org', but must be one plain email address, or a URL that"),
        ("brandName", "A < B", "brandName is 'A < B', but must be a name of at most 100 characters, without comma"),
        (
            "brandLogoUrl",
            "http://x.org/a",
            "brandLogoUrl is 'http://x.org/a', but must be a URL that begins with https",
        ),
        ("brandColour", "red", "brandColour is 'red', but must be a colour like #1f5fbf."),
        ("language", "xx", "language is 'xx', but must be one of en, de, fr, it, nl, es, with or without a region"),
        (
            "timeZone",
            "Europe/Berln",
            "timeZone is 'Europe/Berln', but must be a time zone of the IANA database, such as",
        ),
        ("alarmEmail", "nobody", "alarmEmail is 'nobody', but must be one plain email address."),
        ("imageTag", "", "imageTag is '', but must be the tag of an image that you pushed, like 2026-11-24."),
        ("databaseSecretArn", "", "databaseSecretArn is not set, but membershipsUrl is not set either: give the URL"),
        (
            "profileSecretArns",
            "club/api",
            "profileSecretArns is 'club/api', but must be whole ARNs of secrets, separated",
        ),
        (
            "profileSecretArns",
            "arn:aws:secretsmanager:eu-central-1:111122223333:secret:a-AbCdEf,arn:aws:s3:::b-AbCdEf",
            "profileSecretArns is 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:a-AbCdEf,arn:aws:s3:::b-",
        ),
        (
            "profileSecretArns",
            "arn:aws:secretsmanager:eu-central-1:111122223333:secret:club/*",
            "profileSecretArns is 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:club/*', but must be whole",
        ),
        ("smtpHost", "smtp.example.org:25", "smtpHost is 'smtp.example.org:25', but must be a host name like"),
        (
            "smtpHost",
            "smtp.example.org",
            "smtpUser is not set, but smtpHost is: give both to mail by SMTP",
        ),
        ("smtpUser", "club", "smtpHost is not set, but smtpUser is: give both to mail by SMTP, or neither."),
        ("topolgy", "split", "topolgy is not a parameter; did you mean topology?"),
        ("colour", "red", "colour is not a parameter; infra/README.md lists them all."),
    ],
)
def test_a_wrong_parameter_is_named_with_what_it_must_be(read_with: Read, key: str, value: str, text: str) -> None:
    with pytest.raises(ParameterError) as refused:
        read_with(**{key: value})

    assert str(refused.value).startswith(text)


@pytest.mark.parametrize("block", ["10.0.0.0/16", "192.168.64.128/25", "100.64.0.0/20", "198.51.100.0/24"])
def test_the_network_may_be_any_that_is_large_enough(read_with: Read, block: str) -> None:
    assert read_with(vpcCidr=block).vpc_cidr == block


@pytest.mark.parametrize(
    "block", ["", "10.0.0.0", "10.1.2.3/16", "10.0.0.0/255.255.0.0", "10.0.0.0/15", "10.0.0.0/26", "fd00::/20"]
)
def test_another_network_is_refused_with_what_it_must_be(read_with: Read, block: str) -> None:
    with pytest.raises(ParameterError) as refused:
        read_with(vpcCidr=block)

    expected = "an IPv4 network by its first address, from /16 to /25, like 10.0.0.0/16"
    assert str(refused.value) == f"vpcCidr is {block!r}, but must be {expected}."


def test_all_wrong_parameters_are_told_at_once(read_with: Read) -> None:
    with pytest.raises(ParameterError) as refused:
        read_with(topology="two", domain="?")

    assert [line.split()[0] for line in str(refused.value).splitlines()] == ["topology", "domain"]


def test_a_wrong_url_is_not_told_as_a_missing_one_too(read_with: Read) -> None:
    with pytest.raises(ParameterError) as refused:
        read_with(membershipsUrl="http://x.org", databaseSecretArn="")

    assert [line.split()[0] for line in str(refused.value).splitlines()] == ["membershipsUrl"]


@pytest.mark.parametrize("value", ["10.0", "1e1", "+10", " 10", "1_0", "\u0661\u0660", "9" * 5000])
def test_what_only_some_parsers_take_for_a_whole_number_is_refused(read_with: Read, value: str) -> None:
    with pytest.raises(ParameterError, match="but must be a whole number from 2 to 1000"):
        read_with(concurrency=value)


@pytest.mark.parametrize("key", ["certificateArn", "domain", "mailFrom", "imageTag", "jwtAudience"])
def test_a_line_feed_at_the_end_is_a_part_of_the_value(read_with: Read, key: str) -> None:
    good = read(ROOT / "infra" / "cdk.json")["context"] | {"imageTag": "a"}

    with pytest.raises(ParameterError, match=rf"^{key} is '.+\\n', but must be "):
        read_with(**{key: good[key] + "\n"})


def test_parameters_do_not_come_from_the_environment(read_with: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALARM_EMAIL", "alarmEmail", "alarm_email"):
        monkeypatch.setenv(name, "somebody@example.org")

    assert read_with().alarm_email is None


def test_parameters_cannot_be_changed_once_read(read_with: Read) -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_with().topology = "split"


@pytest.mark.parametrize(
    "key, value",
    [
        ("@aws-cdk/some:flag", True),
        ("aws:cdk:bundling-stacks", []),
        ("acknowledged-issue-numbers", [34892]),  # by `cdk acknowledge`
        ("cli-telemetry", False),  # by `cdk cli-telemetry --disable`
    ],
)
def test_keys_of_the_cdk_itself_are_no_typing_errors(read_with: Read, key: str, value: object) -> None:
    assert read_with(**{key: value}).topology == "one"


def test_a_missing_bundle_tells_how_to_make_it(tmp_path: Path) -> None:
    refused = run_app(tmp_path / "out", tmp_path / "missing.zip", {})

    assert refused.returncode == 1
    assert "missing.zip does not exist: run `make lambda`." in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_readme_explains_every_parameter() -> None:
    readme = (ROOT / "infra" / "README.md").read_text(encoding="utf-8")
    parameters = [name for name in read(ROOT / "infra" / "cdk.json")["context"] if not name.startswith("@")]

    assert [name for name in parameters if f"| `{name}` |" not in readme] == []


def test_the_command_of_the_cdk_is_the_one_that_make_synth_runs(synth: Synthesiser) -> None:
    assert synth().file.is_file()
    assert "-m infra.app" in read(ROOT / "infra" / "cdk.json")["app"]
    assert "-m infra.app" in (ROOT / "Makefile").read_text(encoding="utf-8")
