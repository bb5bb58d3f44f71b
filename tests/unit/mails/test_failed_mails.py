"""What a user is told of a failure, and what to do."""

from dataclasses import replace

import pytest

from memberships_export.domain import errors
from memberships_export.domain.export.record import Stage
from tests.factories import an_export
from tests.unit.mails.mail_reading import FILE, MailPage, failed, failure_mail

_CODES = {error.code for error in vars(errors).values() if isinstance(error, type) and hasattr(error, "code")}


@pytest.mark.parametrize("code", sorted({*_CODES, "of_another_version"}))
def test_a_failure_of_any_kind_is_told_in_plain_words(code: str) -> None:
    mail = failure_mail(failed(code))
    assert (mail.subject, mail.intent) == ("Your memberships export could not be finished", "exp-1:failure")
    assert (mail.to, mail.export_id, mail.attachment) == ("member@example.org", "exp-1", None)
    for shown in (mail.text, MailPage(mail.html).text):
        assert code in shown
        assert "exp-1" in shown
        assert "canary" not in shown  # what machines said to each other stays on the record


@pytest.mark.parametrize(
    "stage, words",
    [
        (Stage.FETCH, "while your memberships were read"),
        (Stage.RENDER, "while the file was written"),
        (Stage.DELIVER, "while the mail was sent"),
    ],
)
def test_the_step_that_failed_is_named(stage: Stage, words: str) -> None:
    mail = failure_mail(failed(stage=stage))
    assert f"It stopped {words}." in mail.text
    assert f"It stopped {words}." in MailPage(mail.html).text


LATER = (
    "Please ask for a new export a little later. If it fails again, please tell your club, and give the export number "
    "below."
)
NEVER = (
    "Asking again would probably end the same way. Please tell your club, and give the export number and the error "
    "code below. Your memberships themselves are not affected."
)
ANEW = "Please ask for a new export, and choose from what there is now."
REASONS = {
    "memberships_contract_broken": "The membership data arrived in a form that we could not read.",
    "foreign_rows": "The data did not match your account, so we stopped. Nothing was sent to anybody.",
    "columns_gone": "A column that you asked for does not exist any more.",
    "filter_gone": "A filter that you asked for does not exist any more.",
    "unknown_member": "We found no membership account with exactly your email address, or more than one.",
    "row_count_mismatch": "A check found that the file would not have been complete, so we did not send it.",
    "mail_refused": "The mail with your file was not accepted for sending.",
    "delivery_unknown": "We cannot tell whether the mail with your file reached you.",
    "no_progress": "The export was started several times and did not get any further.",
    "limit_exceeded": "There was more to read, or it took longer, than one export may have.",
    "still_refused": "Our access to the membership data was refused for too long, so we stopped trying.",
    "gave_up_waiting": "Something that we need was out of order for too long, so we stopped trying.",
}


def test_every_failure_that_an_export_can_have_is_among_them() -> None:
    failures = {error.code for error in errors.PermanentError.__subclasses__()}
    assert failures - {errors.InvalidMessage.code} == set(REASONS), "of an invalid message no user is told"


@pytest.mark.parametrize("code", [*REASONS, "of_another_version"])
def test_each_permanent_error_has_words_of_its_own(code: str) -> None:
    reason = REASONS.get(code, "Something went wrong on our side.")
    mail = failure_mail(failed(code, Stage.FETCH))
    advice = {"no_progress": LATER, "gave_up_waiting": LATER, "columns_gone": ANEW, "filter_gone": ANEW}.get(
        code, NEVER
    )
    for shown in (mail.text, MailPage(mail.html).text):
        assert reason in shown
        assert advice in shown
        assert [other for other in REASONS.values() if other in shown] == [reason] * (code in REASONS)


def test_the_mail_about_a_failure_reads_like_this() -> None:
    assert failure_mail(failed(file=FILE)).text.replace("\xa0", " ") == (
        "Your memberships export could not be finished\n"
        "\n"
        "It stopped while the mail was sent. The mail with your file was not accepted for sending.\n"
        "\n"
        "The file itself is finished and kept until March 8, 2026, 12:30 PM (UTC): you can download it, or have it "
        "sent again, where you asked for it.\n"
        "\n"
        "For questions about it\n"
        "\n"
        "Requested: March 1, 2026, 12:00 PM (UTC)\n"
        "Stopped: March 1, 2026, 12:00 PM (UTC)\n"
        "Export number: exp-1\n"
        "Error code: mail_refused\n"
        "\n"
        "If you did not ask for this export, please tell your club, and give the export number.\n"
    )


def test_a_failure_to_mail_a_finished_file_says_that_the_file_is_there() -> None:
    text = failure_mail(failed(file=FILE)).text.replace("\xa0", " ")
    assert "kept until March 8, 2026, 12:30 PM (UTC)" in text
    assert "sent again" in text


def test_a_deleted_file_is_not_offered() -> None:
    assert "kept until" not in failure_mail(failed(file=replace(FILE, deleted=True))).text


def test_what_passes_by_itself_is_worth_another_try() -> None:
    assert "ask for a new export" in failure_mail(failed("gave_up_waiting", Stage.FETCH)).text
    assert "Asking again would probably end the same way" in failure_mail(failed("foreign_rows", Stage.FETCH)).text


def test_an_export_that_did_not_fail_has_no_failure_mail() -> None:
    with pytest.raises(ValueError, match="has not failed"):
        failure_mail(an_export())
