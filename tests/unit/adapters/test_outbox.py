import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

import pytest

from memberships_export.adapters.mail.outbox import Outbox, OutboxMails, file_name
from memberships_export.domain.export.record import Evidence
from tests.contract.mailers import FROM, NOW, SENDER, TO, a_mail, read_eml

# A limit on the size of files stands in for a full disk: write() fails after the first bytes, too.
_FULL_DISK = """
import resource, sys
from pathlib import Path
from memberships_export.adapters.mail.outbox import Outbox, OutboxMails, file_name
from tests.contract.mailers import FROM, NOW, SENDER, a_mail
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
result = Outbox(Path(sys.argv[1]), sender=SENDER, clock=lambda: NOW).send(a_mail())
print(result.evidence, result.permanent, result.detail)
"""


def _outbox(folder: Path) -> Outbox:
    return Outbox(folder, sender=SENDER, clock=lambda: NOW)


def test_the_file_carries_the_headers_a_mail_program_needs(tmp_path: Path) -> None:
    result = _outbox(tmp_path).send(a_mail())
    message = read_eml((tmp_path / "exp-1.1.eml").read_bytes())
    assert result.message_id == "exp-1.1.eml"
    assert str(message["From"]) == f"Memberships export <{FROM}>"
    assert str(message["To"]) == TO
    assert message["Date"].datetime == NOW
    assert str(message["Message-ID"]) == "<exp-1.1@club.example>"
    assert (str(message["X-Export-Id"]), str(message["X-Send-Intent"])) == ("exp-1", "exp-1:1")


def test_lines_of_the_file_end_and_break_as_mail_wants_it(tmp_path: Path) -> None:
    _outbox(tmp_path).send(a_mail(text="long " * 1000, subject="Grüße " * 60))
    lines = (tmp_path / "exp-1.1.eml").read_bytes().split(b"\r\n")
    assert not [line for line in lines if b"\n" in line or b"\r" in line or len(line) > 998]


def test_the_folder_is_made_and_what_is_in_it_is_for_this_user_only(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet" / "there"
    _outbox(folder).send(a_mail())
    [file] = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_same_intent_keeps_the_mail_that_is_there(tmp_path: Path) -> None:
    _outbox(tmp_path).send(a_mail(text="first\n"))
    _outbox(tmp_path).send(a_mail(text="second\n"))
    [file] = tmp_path.iterdir()
    body = read_eml(file.read_bytes()).get_body(("plain",))
    assert body is not None
    assert body.get_content() == "first\r\n"


def test_many_writers_of_one_intent_leave_one_whole_mail(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: _outbox(tmp_path).send(a_mail()), range(40)))
    assert {result.evidence for result in results} == {Evidence.ACCEPTED}
    [file] = tmp_path.iterdir()
    assert str(read_eml(file.read_bytes())["X-Send-Intent"]) == "exp-1:1"


@pytest.mark.parametrize(
    "intent",
    ["../../etc/passwd:1", "a/b:1", ".:1", "..:failure", "\x00:1", "a" * 5000 + ":1", "\ud800:1", "", "Ü:1", "con.:1"],
)
def test_no_intent_leads_out_of_the_folder(intent: str, tmp_path: Path) -> None:
    name = file_name(intent)
    assert name.isascii()
    assert name.removesuffix(".eml").replace(".", "").isalnum()
    assert len(name) < 130
    result = _outbox(tmp_path / "box").send(a_mail(intent=intent))
    assert result.evidence is Evidence.ACCEPTED
    assert [path.name for path in (tmp_path / "box").iterdir()] == [name]
    assert [path.name for path in tmp_path.iterdir()] == ["box"]


def test_two_intents_never_share_a_file_even_where_capitals_do_not_count() -> None:
    intents = ["a:1", "A:1", "a-1:1", "a:11", "a1:1", "a.1:1", "a:failure", "A:FAILURE", "a:1 ", "a::1", "a:01"]
    assert not [pair for pair in combinations(intents, 2) if len({file_name(name).lower() for name in pair}) == 1]


def test_a_folder_that_cannot_be_written_is_a_refusal_that_says_what_to_do(tmp_path: Path) -> None:
    taken = tmp_path / "outbox"
    taken.write_text("a file where the folder should be")
    result = _outbox(taken).send(a_mail())
    assert (result.evidence, result.permanent, result.too_large) == (Evidence.REFUSED, False, False)
    assert str(taken) in str(result.detail)
    assert "a file stands where a folder is needed: move it away" in str(result.detail)


def test_a_full_disk_is_a_refusal_and_leaves_no_half_mail(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", _FULL_DISK, str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith(f"refused False The mail was not written. {tmp_path}/exp-1.1.eml cannot be used: ")
    assert "File too large" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_mails_of_an_export_are_deleted_with_what_killed_writers_left(tmp_path: Path) -> None:
    names = ["e-1.1.eml", "e-1.12.eml", "e-1.failure.eml", ".e-1.3.eml.0123abcd.tmp", file_name("E-1:7")]
    kept = ["e-11.1.eml", "e-1.x.eml", ".e-11.1.eml.0123abcd.tmp", "notes.txt", ".hidden"]
    for name in (*names, *kept):
        (tmp_path / name).touch()
    mails = OutboxMails(tmp_path)
    assert mails.delete("e-1") == 4
    assert mails.delete("E-1") == 1
    assert mails.delete("e-1") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_an_outbox_that_was_never_used_has_no_mails(tmp_path: Path) -> None:
    assert OutboxMails(tmp_path / "none").delete("e-1") == 0
