"""What an answer of an SMTP server proves about one mail."""

import re
from dataclasses import dataclass

from memberships_export.adapters.mail.record_text import fit_for_record
from memberships_export.domain.export.record import Evidence
from memberships_export.domain.mail.mail import SendResult

_BEFORE_ANY_MAIL = frozenset({"greeting", "EHLO", "STARTTLS", "AUTH"})
_LOGIN = frozenset({530, 534, 535, 538})  # RFC 4954: log in first, or not like this
_TOO_LARGE = 552  # RFC 1870; also of a full mailbox, where a mail without the file may still fit
_SIZE = re.compile(rb"5\.(?:2\.3|3\.4)\b")  # RFC 3463: too large for this mailbox, too large for this server


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to one step: its code, and its text. `foreseen`: nobody had to ask, the answer to EHLO says so."""

    step: str
    code: int
    text: bytes
    foreseen: bool = False

    @property
    def accepts(self) -> bool:
        """Whether the server took what was offered (RFC 5321 4.2.1: the first digit tells)."""
        return self.code // 100 == 2  # noqa: PLR2004

    @property
    def refuses(self) -> bool:
        """Whether the server said no, for now or for good."""
        return self.code // 100 in {4, 5}

    @property
    def refuses_us(self) -> bool:
        """Whether it refuses any mail of ours, until a person has mended something."""
        return self.code in _LOGIN or (self._for_good and self.step in _BEFORE_ANY_MAIL)

    @property
    def too_large(self) -> bool:
        """Whether a smaller mail may pass."""
        return self.code == _TOO_LARGE or (self._for_good and bool(_SIZE.match(self.text)))

    @property
    def permanent(self) -> bool:
        """Whether the same mail would be refused again."""
        return self._for_good and not (self.refuses_us or self.too_large)

    @property
    def _for_good(self) -> bool:
        return self.code // 100 == 5  # noqa: PLR2004

    @property
    def status(self) -> str:
        """What was answered, for the log."""
        return "none" if self.foreseen else str(self.code)

    def detail(self, *secrets: str) -> str:
        """Say it in a way that is fit for a record."""
        text = self.text.decode("utf-8", "replace")
        if not self.foreseen:
            text = f"SMTP {self.code} to {self.step}: {text}" if text else f"SMTP {self.code} to {self.step}"
        return fit_for_record(text, *secrets)


class Refusal(Exception):
    """The server refused a step, before the whole mail had left."""

    def __init__(self, answer: Answer) -> None:
        """Keep the answer; its text is not for logs."""
        super().__init__(answer.step)
        self.answer = answer


def result_of(answer: Answer, message_id: str, *secrets: str, whole: bool) -> SendResult:
    """Judge an answer. `whole`: the final dot had left; nothing else is ever accepted."""
    if whole and answer.accepts:
        return SendResult(evidence=Evidence.ACCEPTED, message_id=message_id)
    if whole and not answer.refuses:
        return SendResult(evidence=Evidence.DOUBTFUL, detail=answer.detail(*secrets))
    return SendResult(
        evidence=Evidence.REFUSED,
        detail=answer.detail(*secrets),
        permanent=answer.permanent,
        too_large=answer.too_large,
    )
