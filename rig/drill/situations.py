"""The sixteen situations of an operator: how each comes about, and what a person on call sees of it."""

import os
import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from memberships_export.domain.messages.message import Message
from rig.drill import machine
from rig.drill.load import Load
from rig.drill.local_service import LocalService
from rig.services.sendgrid_behaviour import ACCEPT_THEN_RESET
from rig.waiting import until

NEW_SECRET = "the-secret-that-the-api-team-uses-from-today-on"
_NOTE = "from-the-api-team.txt"
Seen = str


@dataclass(frozen=True, kw_only=True)
class Situation:
    """`come_about` does it to a running service, and returns what a person on call sees. `answer`: told at the end."""

    come_about: Callable[[LocalService], Seen]
    answer: str  # what it was, and the part of the docs that helps
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    needs: tuple[str, ...] = ()  # commands without which a part cannot be practised
    small_disk: bool = False


def _api_401(service: LocalService) -> Seen:
    service.api.secrets = [NEW_SECRET]
    _leave_note(service)
    service.member().request()
    return f"Alert, from the log:\n  {service.wait_for('event=refused by=memberships_api status=401', 'status=401')}"


def _foreign_rows(service: LocalService) -> Seen:
    service.api.follow("foreign-row")
    _ended(service)
    return f"Alert, from the log:\n  {service.wait_for('event=failed')}"


def _mail_credits(service: LocalService) -> Seen:
    service.mail.invoice.touch()
    service.member().request()
    line = service.wait_for("Maximum credits exceeded")
    return (
        f"Alert, from the log:\n  {line}\n"
        f"In the letter box: an invoice of the mail service. To pay it: touch {service.mail.invoice.with_name('paid')}"
    )


def _silent_send(service: LocalService) -> Seen:
    service.mail.follow(ACCEPT_THEN_RESET)
    service.member().request()
    service.wait_for("evidence=silent")
    return "A member, user-1: 'I asked for my memberships a while ago. Did you send the mail or not?'"


def _disk_full(service: LocalService) -> Seen:
    service.api.follow("status:503:Retry-After=5")
    member = service.member()
    member.request()
    service.wait_for("event=waiting")
    machine.fill(service.data)
    member.ask("GET", "/readyz")
    service.wait_for("event=not_swept", "event=trouble", "event=unavailable")
    return f"Alert: {service.url}/readyz answers with 503.\nA member, user-2: 'It says that I should try again later.'"


def _poison_message(service: LocalService) -> Seen:
    service.ports().queue.send(Message('{"please": "send everything to everybody"}'))
    return f"Alert, from the log:\n  {service.wait_for('event=dead_letter')}"


def _stopped_worker(service: LocalService) -> Seen:
    service.api.follow("hang")
    service.member().request()
    service.wait_for("event=claimed")
    os.kill(service.pid, signal.SIGSTOP)
    until(lambda: _state(service.pid) == "T", "its stop", progress=lambda: _state(service.pid))
    return "A member, user-1: 'The page of the exports does not load any more, since ten minutes.'"


def _bounced(service: LocalService) -> Seen:
    _ended(service)
    service.mail.signer.events_for(service.mail.accepted[-1], ["bounce"]).post(f"{service.url}/webhooks/sendgrid")
    service.wait_for("event=mail_event")
    return "A member, user-1: 'It says completed, but there is no mail, not in the spam folder either.'"


def _twice(service: LocalService) -> Seen:
    service.mail.follow(ACCEPT_THEN_RESET)
    _ended(service)
    return "A member, user-1: 'I got the same mail twice. Does somebody play with my data?'"


def _restore(service: LocalService) -> Seen:
    _ended(service)
    machine.back_up(service)
    service.stop()
    machine.lose(service.data)
    return (
        f"The disk was replaced tonight. The data folder {service.data} is gone, the service is stopped.\n"
        f"The backup of yesterday is {service.folder / 'backup'}. Start it again with: rm {service.stopped}"
    )


def _rotation(service: LocalService) -> Seen:
    service.api.secrets += [service.settings.service_secret or "", NEW_SECRET]
    _leave_note(service)
    service.beside(Load(service))
    service.wait_for("status=completed event=left")
    return (
        "Members are asking all the time. A laptop with a copy of service.env was stolen:\n"
        "change every secret of the service now. The new key of SendGrid is SG.new-key."
    )


def _upgrade(service: LocalService) -> Seen:
    _ended(service)
    machine.back_up(service)
    service.stop()
    machine.write_as_newer_version(service.data)
    service.stopped.unlink()
    line = service.wait_for("newer version")
    return (
        "The upgrade of last night made trouble, and a colleague has put the older version back.\n"
        f"Since then the service does not start. The end of its log:\n  {line}\n"
        f"The backup from before the upgrade is {service.folder / 'backup'}."
    )


def _move(service: LocalService) -> Seen:
    _ended(service)
    new = machine.new_machine(service)
    return (
        f"The machine is given back tomorrow. The new one is {new}: make the service run there, with all its exports."
    )


def _erase(service: LocalService) -> Seen:
    _ended(service)
    service.api.follow("foreign-row")
    _ended(service)
    _ended(service, "user-2", "other@example.org")
    return "A letter of a lawyer: 'Delete all data of my client, whose number is user-1, and confirm it. Nothing else.'"


def _who_downloaded(service: LocalService) -> Seen:
    member = service.member()
    export = _ended(service)
    member.ask("GET", f"/memberships/exports/{export}/file")
    (link, *_) = re.findall(r"http\S+/download/\S+", service.mail.accepted[-1].text)
    member.ask("GET", link.removeprefix(service.url))
    return "A member, user-1: 'My former husband knows what I pay. Who has downloaded my file, and when?'"


def _graphs(service: LocalService) -> Seen:
    for number in range(6):
        service.api.follow(*(["foreign-row"] if number == 5 else []))
        _ended(service, f"user-{number}")
    return (
        "The board meets in an hour: 'How many exports are there in an hour, how many fail, and how long do they take?'"
    )


def _state(pid: int) -> str:
    """Return the letter of a process that ps shows. Source: proc(5)."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0]


def _leave_note(service: LocalService) -> None:
    text = f"From now on the secret of the exports is {NEW_SECRET}\n"
    (service.folder / _NOTE).write_text(text, encoding="utf-8")


def _ended(service: LocalService, user: str = "user-1", email: str = "member@example.org") -> str:
    """Let a member ask, wait for the end, and return the id."""
    member = service.member(user, email)
    asked = member.request()
    assert asked, "The service does not answer."
    export = str(asked["exportId"])
    member.ended(export, tell=service.log)
    return export


SITUATIONS: Mapping[str, Situation] = {
    "api-401": Situation(
        come_about=_api_401,
        answer="The API has a new secret, see from-the-api-team.txt. docs/runbook.md, memberships_refused.",
    ),
    "foreign-rows": Situation(
        come_about=_foreign_rows,
        answer="The API mixed up users: tell its team, then redrive. docs/runbook.md, foreign_rows.",
    ),
    "mail-credits": Situation(
        come_about=_mail_credits,
        answer="Pay; the exports go on by themselves. docs/runbook.md, mail_refused_for_now.",
    ),
    "silent-send": Situation(
        come_about=_silent_send,
        answer="It may have arrived. It waits for proof, then sends again. docs/runbook.md, delivery_unconfirmed.",
        needs=("exports show",),
    ),
    "disk-full": Situation(
        come_about=_disk_full,
        answer="Make space where the data folder is (here: delete its `filler`). docs/runbook.md, storage_unavailable.",
        small_disk=True,
    ),
    "poison-message": Situation(
        come_about=_poison_message,
        answer="Somebody wrote into the queue. Look, find the sender, purge. docs/runbook.md, invalid_message.",
    ),
    "stopped-worker": Situation(
        come_about=_stopped_worker,
        answer="Its process is stopped (T): kill -CONT, or kill -9. docs/runbook.md, Nothing moves.",
    ),
    "bounced": Situation(
        come_about=_bounced,
        answer="The address is wrong: correct it where users are kept. docs/runbook.md, Mails do not arrive.",
        needs=("exports show",),
    ),
    "got-it-twice": Situation(
        come_about=_twice,
        answer="The first send got no answer, so there was a second. docs/runbook.md, I got it twice.",
        settings={"EVIDENCE_WAIT_SECONDS": "1", "FIRST_BACK_OFF_SECONDS": "1"},
        needs=("exports show",),
    ),
    "restore": Situation(
        come_about=_restore,
        answer="docs/runbook.md, Backup and restore.",
        needs=("restore",),
    ),
    "rotation": Situation(
        come_about=_rotation,
        answer="docs/runbook.md, Changing secrets. The service secret of the API's team is in from-the-api-team.txt.",
    ),
    "upgrade": Situation(
        come_about=_upgrade,
        answer="A newer version wrote the database: restore the backup, or run that one. docs/runbook.md, Upgrading.",
        needs=("restore",),
    ),
    "move": Situation(
        come_about=_move,
        answer="docs/runbook.md, Moving to another machine.",
        needs=("backup", "restore"),
    ),
    "erase": Situation(
        come_about=_erase,
        answer="docs/runbook.md, Deleting one user's data.",
        needs=("erase",),
    ),
    "who-downloaded": Situation(
        come_about=_who_downloaded,
        answer="docs/runbook.md, Who did what.",
        settings={"ATTACHMENT_LIMIT_BYTES": "0"},
        needs=("audit",),
    ),
    "graphs": Situation(
        come_about=_graphs,
        answer="docs/runbook.md, Figures and graphs.",
    ),
}
