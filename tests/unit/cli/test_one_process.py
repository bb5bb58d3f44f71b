"""What one process of the service begins beside its work."""

from pathlib import Path
from threading import Event

import pytest

from memberships_export.domain.formats.options import Likes
from memberships_export.entrypoints.cli.serve import one_process
from memberships_export.entrypoints.cli.serve.one_process import Process
from memberships_export.entrypoints.cli.serve.roles import Roles, all_of
from memberships_export.entrypoints.cli.serve.site import Site
from memberships_export.entrypoints.cli.serve.threads import Parts
from memberships_export.ports import MailWriter
from memberships_export.settings import read_settings
from rig.waiting import PATIENCE_SECONDS


class _FirstMail:
    def __init__(self) -> None:
        self.written = Event()
        self.likes: Likes | None = None

    def __call__(self, _writer: MailWriter, usual: Likes) -> None:
        self.likes = usual
        self.written.set()


@pytest.fixture
def first_mail(monkeypatch: pytest.MonkeyPatch) -> _FirstMail:
    first_mail = _FirstMail()
    monkeypatch.setattr(one_process, "write_first_mail", first_mail)
    monkeypatch.setattr(one_process, "run_until_signal", _begin_only)
    return first_mail


def _begin_only(parts: Parts) -> bool:
    parts.started()
    return True


def _run(folder: Path, roles: Roles) -> None:
    environ = {
        "MEMBERSHIPS_EXPORT_DATA_DIR": str(folder / "data"),
        "MEMBERSHIPS_EXPORT_LANGUAGE": "de",
        "MEMBERSHIPS_EXPORT_TIME_ZONE": "Europe/Berlin",
    }
    Process(site=Site(read_settings(environ), None), roles=roles).run()


def test_a_worker_writes_a_first_mail_in_the_language_of_the_service(tmp_path: Path, first_mail: _FirstMail) -> None:
    _run(tmp_path, all_of(api=False, worker=True))
    assert first_mail.written.wait(PATIENCE_SECONDS)
    assert first_mail.likes == Likes(languages=("de",), time_zones=("Europe/Berlin",))


def test_who_does_not_work_writes_none(tmp_path: Path, first_mail: _FirstMail) -> None:
    _run(tmp_path, Roles())
    assert not first_mail.written.is_set()
