"""The encoding of a file: read from its first bytes, or checked when it is given."""

import codecs
import re
from typing import Final

_MARKS: Final = (  # longest first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTAINERS: Final = (
    (b"PK\x03\x04", "a spreadsheet or a ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "compressed (gzip)"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3\0", "an SQLite database"),
)
_FEWEST_NULS = 0.3  # of every second byte: Western text in UTF-16 has a NUL in nearly each
# Signs of cp1252 within words, where other encodings have letters: such a file is from DOS, a Mac or elsewhere.
_UNLIKELY_IN_CP1252 = re.compile(
    rb"[A-Za-z][\x81-\x89\x8b\x8d\x8f-\x91\x93-\x95\x98\x99\x9b\x9d][A-Za-z\xc0-\xff]"
    rb"|[A-Za-z][\x8a\x8c\x8e\x9f][a-z]"  # capitals
    rb"|[A-Za-z\x80-\xff][\xa1-\xa8\xac\xb1\xbc-\xbf][a-z]"
)
_FOREIGN_WORD = re.compile(r"[A-Za-z]{0,12}[^\W\x00-\x7f]\w{0,12}")
_UNKNOWN_TO_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


def check_container(sample: bytes) -> None:
    """Raise ValueError for files that are not text at all."""
    for mark, what in _CONTAINERS:
        if sample.startswith(mark):
            raise ValueError(f"is {what}, not CSV: open it with its program and save it as CSV.")


def guessed_encoding(sample: bytes) -> str:
    """Tell the encoding of the file that begins with this. Raises ValueError when there is no good guess."""
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return name
    if (wide := _wide_without_mark(sample)) is not None:
        return wide
    if _is_utf_8(sample):
        return "utf-8"
    if _UNLIKELY_IN_CP1252.search(sample) or _UNKNOWN_TO_CP1252.search(sample):
        raise ValueError("is neither in UTF-8 nor, as it seems, in cp1252: say --encoding, such as cp850 or mac-roman.")
    return "cp1252"


def telling_word(text: str) -> str | None:
    """Give the first word by which a person sees whether the encoding is right."""
    found = _FOREIGN_WORD.search(text)
    return found[0] if found else None


def given_encoding(name: str) -> str:
    """Check a name of an encoding of text. Raises ValueError."""
    try:
        codec = codecs.lookup(name)
        "".encode(name)  # base64 and its like are codecs too, but not of text
    except (LookupError, ValueError):
        raise ValueError(f"{name!r} is no encoding: say utf-8, cp1252, utf-16 or another that Python knows.") from None
    return codec.name


def codec_for(encoding: str) -> str:
    """Name the codec that also takes the mark off."""
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _wide_without_mark(sample: bytes) -> str | None:
    pairs = len(sample) // 2
    if not pairs:
        return None
    first, second = sample[0 : pairs * 2 : 2].count(0) / pairs, sample[1 : pairs * 2 : 2].count(0) / pairs
    if second >= _FEWEST_NULS > first:
        return "utf-16-le"
    return "utf-16-be" if first >= _FEWEST_NULS > second else None


def _is_utf_8(sample: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)  # the sample may end within a character
    except UnicodeDecodeError:
        return False
    return True
