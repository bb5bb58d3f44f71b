"""What a mail tells comes from the record, and is harmless."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from memberships_export.domain.export.record import Export, Failure, Stage, StoredFile
from memberships_export.domain.formats.options import FilterValue, Format, Options
from memberships_export.domain.mail.compose import Written, compose
from memberships_export.domain.mail.examples import EVENTS, example
from memberships_export.domain.mail.facts import Advice, Failed, Ready, failed, ready
from memberships_export.domain.mail.intent import failure_intent
from memberships_export.domain.mail.mail import Attachment, Mail
from memberships_export.domain.source.grades import Grade
from memberships_export.domain.source.progress import Progress
from tests.factories import REQUESTED_AT, an_export

UNTIL = REQUESTED_AT + timedelta(days=7)
FILE = StoredFile(key="k", name="m.csv", rows=3, bytes=99, sha256="ab" * 32, expires_at=UNTIL, guarded=2)
OPTIONS = Options(
    format=Format.XLSX,
    language="de-CH",
    time_zone="Europe/Zurich",
    columns=("name", "id"),
    filters=(FilterValue("state", "active"),),
)
MOVED = Progress(
    grade=Grade.ENDED, began_at=REQUESTED_AT + timedelta(seconds=5), moved_until=REQUESTED_AT + timedelta(seconds=61)
)


def export_with(**changes: Any) -> Export:  # noqa: ANN401  (fields of Export)
    return an_export(**{"export_id": "exp-1", "file": FILE, "options": OPTIONS} | changes)


def test_the_mail_with_the_file_tells_all_of_this() -> None:
    export = export_with(profile="f00d", progress=MOVED)
    assert ready(export, link="https://x.example/l", possible_duplicate=True) == Ready(
        language="de-CH",
        time_zone="Europe/Zurich",
        format=Format.XLSX,
        file_name="m.csv",
        rows=3,
        bytes=99,
        sha256="ab" * 32,
        until=UNTIL,
        link="https://x.example/l",
        guarded=2,
        possible_duplicate=True,
        completeness="Read to the end; the membership system named no total.",
        moved_between=(REQUESTED_AT, REQUESTED_AT + timedelta(minutes=2)),
        columns=("name", "id"),
        filters=("state: active",),
        requested_at=REQUESTED_AT,
        export_number="exp-1",
    )


def test_by_our_own_contract_there_is_nothing_to_doubt() -> None:
    told = ready(export_with(progress=MOVED), link=None, possible_duplicate=False)
    assert (told.link, told.completeness, told.moved_between) == (None, None, None)


@pytest.mark.parametrize("progress", [replace(MOVED, began_at=None), replace(MOVED, moved_until=None)])
def test_rows_moved_only_from_one_time_to_another(progress: Progress) -> None:
    export = export_with(profile="f00d", progress=progress)
    assert ready(export, link=None, possible_duplicate=False).moved_between is None


HIDDEN = "a\r\nb\x00\u202e\ud800  c"


def test_what_comes_from_elsewhere_is_in_one_line_with_nothing_hidden() -> None:
    options = replace(OPTIONS, columns=(HIDDEN,), filters=(FilterValue(HIDDEN, HIDDEN),))
    export = export_with(export_id=HIDDEN, options=options, file=replace(FILE, name=HIDDEN))
    told = ready(export, link=HIDDEN, possible_duplicate=False)
    plain = "a b\ufffd c"
    assert (told.file_name, told.link, told.export_number, told.columns) == (plain, plain, plain, (plain,))
    assert told.filters == (f"{plain}: {plain}",)
    failure = Failure(stage=Stage.FETCH, code=HIDDEN, reason=HIDDEN, at=UNTIL)
    about = failed(replace(export, failure=failure))
    assert (about.code, about.export_number) == (plain, plain)
    assert "a b" not in about.reason, "what machines said to each other stays on the record"


def failed_with(code: str, file: StoredFile | None = None) -> Failed:
    failure = Failure(stage=Stage.RENDER, code=code, reason="r", at=UNTIL)
    return failed(export_with(failure=failure, file=file))


def test_the_mail_about_a_failure_tells_all_of_this() -> None:
    assert failed_with("mail_refused", FILE) == Failed(
        language="de-CH",
        time_zone="Europe/Zurich",
        stage=Stage.RENDER,
        reason="The mail with your file was not accepted for sending.",
        code="mail_refused",
        advice=Advice.TAKE_THE_FILE,
        until=UNTIL,
        requested_at=REQUESTED_AT,
        failed_at=UNTIL,
        export_number="exp-1",
    )


@pytest.mark.parametrize(
    "code, advice",
    [
        ("gave_up_waiting", Advice.ASK_LATER),
        ("no_progress", Advice.ASK_LATER),
        ("columns_gone", Advice.CHOOSE_ANEW),
        ("filter_gone", Advice.CHOOSE_ANEW),
        ("foreign_rows", Advice.TELL),
        ("of_another_version", Advice.TELL),
    ],
)
def test_the_advice_is_the_next_useful_step(code: str, advice: Advice) -> None:
    assert failed_with(code).advice is advice
    assert failed_with(code).until is None
    deleted = failed_with(code, replace(FILE, deleted=True))
    assert (deleted.advice, deleted.until) == (advice, None)
    assert failed_with(code, FILE).advice is Advice.TAKE_THE_FILE


def test_there_is_nothing_to_tell_of_an_export_without_file_or_failure() -> None:
    with pytest.raises(ValueError, match="exp-1: this mail needs a file"):
        ready(export_with(file=None), link=None, possible_duplicate=False)
    with pytest.raises(ValueError, match="exp-1 has not failed"):
        failed(export_with())


WRITTEN = Written(language="de-CH", subject="s", text="t", html="h")


def test_a_mail_is_what_was_written_and_goes_to_the_address_of_the_record() -> None:
    export = export_with(options=Options())
    mail = Mail(
        to="member@example.org",
        subject="s",
        text="t",
        html="h",
        language="de-CH",
        export_id="exp-1",
        intent="exp-1:failure",
    )
    assert compose(export, failure_intent(export), WRITTEN) == mail
    attached = Attachment("m.csv", "text/csv", b"")
    assert compose(export, failure_intent(export), WRITTEN, b"") == replace(mail, attachment=attached)
    with pytest.raises(ValueError, match="exp-1 has no file to attach"):
        compose(replace(export, file=None), "exp-1:1", WRITTEN, b"")


@pytest.mark.parametrize("event", EVENTS)
def test_there_is_an_example_of_each_mail(event: str) -> None:
    told = example(event, OPTIONS)
    assert (told.event, told.language, told.time_zone) == (event, "de-CH", "Europe/Zurich")


@pytest.mark.parametrize(
    "options, guarded",
    [(Options(), 2), (Options(guard=False), 0), (Options(format=Format.XLSX), 0), (Options(format=Format.JSONL), 0)],
)
def test_an_example_has_apostrophes_where_such_a_file_has_some(options: Options, guarded: int) -> None:
    told = example("ready", options)
    assert isinstance(told, Ready)
    assert (told.guarded, told.link, told.file_name) == (guarded, None, f"memberships-2026-03-01.{options.format}")
    linked = example("ready", options, linked=True)
    assert isinstance(linked, Ready)
    assert str(linked.link).endswith("/download/EXAMPLE")


def test_there_is_no_example_of_what_is_no_mail() -> None:
    with pytest.raises(KeyError, match="redy"):
        example("redy", OPTIONS)


def test_the_example_of_a_failure_is_one_that_passes_by_itself() -> None:
    told = example("failed", OPTIONS)
    assert isinstance(told, Failed)
    assert (told.advice, told.failed_at) == (Advice.ASK_LATER, datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
