"""The profile of a deployment: checked before, and given to the function that fetches."""

from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from infra.parameters import ParameterError, Parameters, read_parameters
from infra.profile import code_with
from memberships_export.adapters.source.profile_file import shipped_text
from rig.aws.synthesis import run_app, stand_in_bundle
from tests.infra.synthesis import ROOT, Synthesised, read

SECRET = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:club/api-AbCdEf"
INSIDE = "http://members.club.internal:8080"
OURS = shipped_text("memberships")
Read = Callable[..., Parameters]


@pytest.fixture
def read_with(tmp_path: Path) -> Read:
    def reading(**changed: str) -> Parameters:
        defaults = read(ROOT / "infra" / "cdk.json")["context"]
        return read_parameters(defaults | {"bundle": str(tmp_path), "imageTag": "1", **changed})

    return reading


@pytest.fixture
def club(tmp_path: Path) -> Path:
    """Write a profile whose secret functions can read."""
    text = OURS.replace('type = "service_jwt"', 'type = "bearer"\ntoken = "secret:club/api"')
    path = tmp_path / "club.toml"
    path.write_text(text.replace('path = "/memberships"', 'path = "/members/{user.id}"'))
    return path


def refusal(read_with: Read, **changed: str) -> str:
    with pytest.raises(ParameterError) as refused:
        read_with(**changed)
    return str(refused.value)


def test_without_one_it_is_our_own_contract(read_with: Read) -> None:
    assert read_with().profile is None


def test_one_that_comes_with_the_service_is_named(read_with: Read) -> None:
    assert read_with(profile="memberships").profile == "memberships"


def test_a_file_is_found_from_the_folder_of_the_project_on(read_with: Read) -> None:
    place = "src/memberships_export/shipped/profiles/memberships.toml"

    assert read_with(profile=place).profile == str(ROOT / place)


def test_all_problems_of_a_file_are_told_before_anything_is_deployed(read_with: Read, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(OURS.replace("version = 1", "version = 2").replace("order =", "odrer ="))

    told = refusal(read_with, profile=str(path))
    assert told.startswith(f"profile is '{path}', but must be a profile without problems:\nversion (line 2): must be 1")
    assert "did you mean order?" in told
    assert "did you mean stripe?" in refusal(read_with, profile="strip")
    assert "cannot be read" in refusal(read_with, profile="not-there.toml")


def test_a_secret_that_no_function_can_read_is_refused(read_with: Read) -> None:
    told = refusal(read_with, profile="stripe", membershipsUrl="https://api.stripe.com")

    assert "must be a profile whose secrets functions can read, and env:" in told
    assert "take secret:ID" in told


def test_a_secret_of_the_profile_needs_its_arn(read_with: Read, club: Path) -> None:
    assert refusal(read_with, profile=str(club)) == (
        "profileSecretArns is not set, but the profile names club/api: give the whole ARN of each."
    )
    assert read_with(profile=str(club), profileSecretArns=SECRET).profile_secret_arns == (SECRET,)


def test_plain_http_needs_the_name_of_its_host(read_with: Read) -> None:
    assert refusal(read_with, membershipsUrl=INSIDE) == (
        f"membershipsUrl is '{INSIDE}': take https, or name members.club.internal in plainHttpHosts."
    )
    named = read_with(membershipsUrl=INSIDE, plainHttpHosts="other, members.club.internal")
    assert named.plain_http_hosts == ("other", "members.club.internal")
    assert "small letters" in refusal(read_with, membershipsUrl=INSIDE, plainHttpHosts="*.internal")


def test_the_file_goes_along_with_the_code_and_the_bytes_are_always_the_same(club: Path, tmp_path: Path) -> None:
    bundle = stand_in_bundle(tmp_path)
    before = bundle.read_bytes()

    with code_with(bundle, str(club)) as code:
        first = code.read_bytes()
        with ZipFile(code) as archive:
            assert archive.read("club.toml") == club.read_bytes()
            assert len(archive.namelist()) == 2
    with code_with(bundle, str(club)) as code:
        assert code.read_bytes() == first
    assert bundle.read_bytes() == before


@pytest.mark.parametrize("profile", [None, "memberships"])
def test_what_comes_with_the_service_is_in_the_bundle_already(profile: str | None, tmp_path: Path) -> None:
    bundle = stand_in_bundle(tmp_path)

    with code_with(bundle, profile) as code:
        assert code == bundle


def test_only_the_function_that_fetches_is_told_of_it(club: Path, tmp_path: Path) -> None:
    given = {
        "topology": "split",
        "membershipsUrl": INSIDE,
        "plainHttpHosts": "members.club.internal",
        "profile": str(club),
        "profileSecretArns": SECRET,
    }
    done = run_app(tmp_path / "out", stand_in_bundle(tmp_path), given)
    assert done.returncode == 0, done.stdout + done.stderr

    told = {}
    for function in Synthesised(tmp_path / "out").of_type("Lambda::Function").values():
        variables = function["Environment"]["Variables"]
        told[function["FunctionName"]] = (
            variables.get("MEMBERSHIPS_EXPORT_PROFILE"),
            variables.get("MEMBERSHIPS_EXPORT_PLAIN_HTTP_HOSTS"),
        )
    assert told.pop("FetchMemberships") == ("/var/task/club.toml", "members.club.internal")
    assert set(told.values()) == {(None, None)}
