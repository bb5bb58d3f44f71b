"""SIGKILL while an export by a profile of another shape fetches, renders or mails: it goes on after its last page."""

import signal
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

from rig.services.apis.every import EVERY
from rig.services.apis.held import Holdings
from tests.apis.exports import OWN_SECRETS, SECRETS, USER, Case, profile_text
from tests.fakes.world import attachment
from tests.life.live_service import in_front_of

ROWS, PAGE = 30, 10
# The last row's key, page numbers, offsets.
NAMES = ["stripe", "woocommerce-subscriptions", "offset"]

# The first file of an export is the text of its profile, the next ones are its pages.
PROFILE_KEPT, PAGE_STORED = "files.put_once:after:1", "files.put_once:after:3"
POINTS = {
    "first page stored, profile not on the record": "files.put_once:after:2",
    "page received, not stored": "source.fetch:after:2",
    "page stored, not checkpointed": PAGE_STORED,
    "page checkpointed": "store.replace:after:3",
    "file written, record does not know": "files.written:after:1",
}


@cache
def undisturbed(name: str) -> tuple[bytes, int]:
    """What the file is when nothing happens, and how many calls it takes."""
    with Case(name, rows=ROWS, cap=PAGE) as case:
        case.world.request(case.user)
        case.world.work()
        return attachment(case.world.mails[0]), len(case.api.calls)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("point", POINTS.values(), ids=[name.replace(" ", "-") for name in POINTS])
def test_killed_at(point: str, name: str, tmp_path: Path) -> None:
    killed_and_started_again(point, name, tmp_path)


def test_killed_when_the_profile_was_kept_and_no_page_came(tmp_path: Path) -> None:
    killed_and_started_again(PROFILE_KEPT, "stripe", tmp_path)


def test_killed_when_the_mail_is_accepted_and_the_record_does_not_know(tmp_path: Path) -> None:
    killed_and_started_again("mailer.send:after:1", "offset", tmp_path)


def test_killed_between_a_page_with_a_link_and_its_checkpoint(tmp_path: Path) -> None:
    killed_and_started_again(PAGE_STORED, "pretix", tmp_path)


def killed_and_started_again(point: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "club.toml"
    path.write_text(profile_text(name), encoding="utf-8")
    with (
        EVERY[name](Holdings({USER: ROWS, "43": 2}), cap=PAGE) as api,
        in_front_of(api, tmp_path, PROFILE=str(path)) as service,
    ):
        service.user, service.secrets = api.user_prefix + USER, SECRETS | OWN_SECRETS.get(name, {})
        service.start(kill_at=point)
        answer = service.request()
        assert answer is not None
        assert service.wait_for_death() == -signal.SIGKILL

        service.start()
        service.tell_events()
        done = service.completed(answer["exportId"])

        assert done["status"] == "completed", service.log()
        expected, calls = undisturbed(name)
        (mail,) = service.sendgrid.accepted
        assert mail.attachment == expected
        assert done["file"]["sha256"] == sha256(expected).hexdigest()
        lost = 1 if point.startswith("source.fetch") else 0  # a page that died with its reader has to come again
        asked = [call for call in api.calls if api.user(call) == service.user]
        assert len(asked) == calls + lost, "every page is fetched once"
