"""How a file is written, and what a person says about it."""

from dataclasses import dataclass
from typing import Final

from memberships_api.csv_files.dates import ISO, DateFormat
from memberships_api.csv_files.decimals import Mark
from memberships_api.csv_files.delimiters import NAMES

_MARKS: Final = {".": "decimal point", ",": "decimal comma"}


@dataclass(frozen=True, slots=True)
class Choices:
    """What is said of a file, each as a person writes it; None: the file shows it."""

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    date_format: str | None = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written. `decimal` None: nothing in its beginning needs to know the mark."""

    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: Mark | None = None
    date_format: DateFormat = ISO
    guessed: tuple[str, ...] = ()
    """The options that would say what is unlike a plain file and was not said."""
    word: str | None = None
    """One that shows whether the encoding is right."""

    def told(self, name: str) -> str | None:
        """Say how the file is read; None: like a plain one, or as was said."""
        if not self.guessed:
            return None
        separated = NAMES.get(self.delimiter, repr(self.delimiter))
        price = f", {_MARKS[self.decimal]}" if self.decimal else ""
        dates = f"dates as {self.date_format.text} ({self.date_format.example()})"
        options = " or ".join(filter(None, [", ".join(self.guessed[:-1]), self.guessed[-1]]))
        word = f" (with words like {self.word!r})" if self.word and "--encoding" in self.guessed else ""
        return (
            f"Reading {name} as {self.encoding}{word}, separated by {separated}{price}, {dates}: "
            f"say {options} if that is wrong."
        )

    def described(self) -> dict[str, str | None]:
        """Say how the file is read, as data."""
        return {
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "decimal": self.decimal,
            "dateFormat": self.date_format.text,
        }
