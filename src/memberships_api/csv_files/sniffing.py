"""How a file is written, told from its beginning: a guess is made only where nothing else fits."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from memberships_api.csv_files.dates import ISO, given_format, guessed_format
from memberships_api.csv_files.decimals import GIVEN, Mark, guessed_mark, is_plain
from memberships_api.csv_files.delimiters import clean_name, given_delimiter, guessed_delimiter, sample_rows
from memberships_api.csv_files.dialect import Choices, Dialect
from memberships_api.csv_files.encodings import (
    check_container,
    codec_for,
    given_encoding,
    guessed_encoding,
    telling_word,
)
from memberships_api.csv_files.mapping import ColumnMapping

SAMPLE_BYTES: Final = 1 << 19
T = TypeVar("T")


def check_choices(choices: Choices) -> None:
    """Raise ValueError for what is said and makes no sense, whatever the file."""
    _either(choices.encoding, given_encoding, lambda: "")
    _either(choices.delimiter, given_delimiter, lambda: "")
    _either(choices.decimal, _given_mark, lambda: None)
    _either(choices.date_format, given_format, lambda: ISO)


def sniff(sample: bytes, choices: Choices, mapping: ColumnMapping) -> Dialect:
    """Tell how the file that begins with this is written.

    Raises ValueError for what is no text, or can be read in two ways; its text is what follows the name of the file.
    """
    check_container(sample)
    encoding = _either(choices.encoding, given_encoding, lambda: guessed_encoding(sample))
    text = sample.decode(codec_for(encoding), errors="replace")
    columns = mapping.sources()
    delimiter = _either(choices.delimiter, given_delimiter, lambda: guessed_delimiter(text, set(columns.values())))
    rows = list(sample_rows(text, delimiter))
    prices = [
        *_values(rows, [columns.get("recurringPrice")]),
        *([mapping.constants["recurringPrice"]] if "recurringPrice" in mapping.constants else []),
    ]
    decimal = _either(choices.decimal, _given_mark, lambda: guessed_mark(prices))
    days = _values(rows, [columns.get("validFrom"), columns.get("validUntil")])
    date_format = _either(choices.date_format, given_format, lambda: guessed_format(days))
    plain_prices = decimal is None or all(is_plain(price, decimal) for price in prices)
    unlike = {
        "--encoding": choices.encoding is None and encoding != "utf-8",
        "--delimiter": choices.delimiter is None and delimiter != ",",
        "--decimal": choices.decimal is None and not plain_prices,
        "--date-format": choices.date_format is None and date_format != ISO,
    }
    guessed = tuple(option for option in unlike if unlike[option])
    return Dialect(encoding, delimiter, decimal, date_format, guessed, telling_word(text))


def _either(said: str | None, given: Callable[[str], T], guessed: Callable[[], T]) -> T:
    return guessed() if said is None else given(said)


def _given_mark(text: str) -> Mark | None:
    try:
        return GIVEN[text.casefold()]
    except KeyError:
        raise ValueError(f"{text!r} is no mark before decimals: say --decimal . or --decimal ,") from None


def _values(rows: Sequence[Sequence[str]], columns: Iterable[str | None]) -> Iterator[str]:
    header = [clean_name(name) for name in rows[0]] if rows else []
    for position in (header.index(column) for column in columns if column in header):
        yield from (cells[position] for cells in rows[1:] if len(cells) == len(header) and cells[position])
