"""The log as an operator reads it."""

import re

import pytest


class Log:
    """What was logged since the last look: level and message, with ids and durations replaced."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def lines(self) -> list[str]:
        found = [f"{record.levelname} {record.getMessage()}" for record in self._caplog.records]
        self._caplog.clear()
        return [re.sub(r"seconds=\d+\.\d{3} ", "seconds=S ", _without_ids(line)) for line in found]


def _without_ids(line: str) -> str:
    return re.sub(r"\b(export|message|resend|There is no export|Export)([= ])[0-9a-f][0-9a-f-]{31,35}", r"\1\2ID", line)
