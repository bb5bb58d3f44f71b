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
# The first file of an export is the text of its profile, the next ones are its pages.
POINTS = {
    "profile kept, no page received": "files.put_once:after:1",
    "first page stored, profile not on the record": "files.put_once:after:2",
    "page received, not stored": "source.answer:after:1",
    "page stored, not checkpointed": "files.put_once:after:3",
    "page checkpointed": "store.replace:after:3",
    "file written, record does not know": "files.written:after:1",
    "mail accepted, record does not know": "mailer.send:after:1",
}
WHILE_IT_FETCHES = list(POINTS)[:5]
CASES = [
    *(("stripe", point) for point in WHILE_IT_FETCHES),  # the last row's key
    ("woocommerce-subscriptions", "page stored, not checkpointed"),  # page numbers
    ("woocommerce-subscriptions", "page checkpointed"),
    ("woocommerce-subscriptions", "file written, record does not know"),
    ("offset", "page received, not stored"),
    ("offset", "page stored, not checkpointed"),
    ("offset", "mail accepted, record does not know"),
    ("pretix", "page stored, not checkpointed"),  # links
    ("lines", "page stored, not checkpointed"),
    ("arrays", "page received, not stored"),
    ("arrays", "page checkpointed"),
]


@cache
def undisturbed(name: str) -> tuple[bytes, int]:
    """What the file is when nothing happens, and how many calls it takes."""
    with Case(name, rows=ROWS, cap=PAGE) as case:
        case.world.request(case.user)
        case.world.work()
        return attachment(case.world.mails[0]), len(case.api.calls)


@pytest.mark.parametrize("name, point", CASES, ids=[f"{name}-{point.replace(' ', '-')}" for name, point in CASES])
def test_killed_at(name: str, point: str, tmp_path: Path) -> None:
    path = tmp_path / "club.toml"
    path.write_text(profile_text(name), encoding="utf-8")
    with (
        EVERY[name](Holdings({USER: ROWS, "43": 2}), cap=PAGE) as api,
        in_front_of(api, tmp_path, PROFILE=str(path), EVIDENCE_WAIT_SECONDS="3600") as service,
    ):
        service.user, service.secrets = api.user_prefix + USER, SECRETS | OWN_SECRETS.get(name, {})
        service.start(kill_at=POINTS[point])
        answer = service.request()
        assert service.wait_for_death() == -signal.SIGKILL

        service.start()
        service.tell_events()
        again = service.request() if answer is None else answer
        assert again is not None
        done = service.completed(again["exportId"])

        assert done["status"] == "completed", service.log()
        expected, calls = undisturbed(name)
        (mail,) = service.sendgrid.accepted
        assert mail.attachment == expected
        assert done["file"]["sha256"] == sha256(expected).hexdigest()
        lost = 1 if point in WHILE_IT_FETCHES[1:] else 0  # the page that was received and not stored, or under way

        def asked() -> int:
            return len([call for call in api.calls if api.user(call) == service.user])

        service.until(lambda: asked() >= calls + lost, "a call that has outlived who made it")
        assert asked() == calls + lost, "no page that was stored is fetched again"
