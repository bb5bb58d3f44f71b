"""What a function writes in each language, with nothing but the bundle: the same as with all of Babel."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from babel.localedata import locale_identifiers

from memberships_export.domain.formats.options import LANGUAGES

# Prints what Babel writes in each language that it is handed, and where it was loaded from.
WRITE = """
import sys
sys.path[:0] = [folder for folder in sys.argv[1:2] if folder]
import json
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo
import babel
from babel import dates, lists, numbers

at = datetime(2026, 3, 1, 13, 5, 9, tzinfo=ZoneInfo("Europe/Berlin"))
currencies = ("EUR", "USD", "CHF", "JPY")
written = {}
for name in sys.argv[2:]:
    language = babel.Locale.parse(name)
    lengths = ("short", "medium", "long", "full")
    written[name] = [
        language.get_display_name("en"),
        *(dates.format_date(at, length, language) for length in lengths),
        *(dates.format_datetime(at, length, tzinfo=at.tzinfo, locale=language) for length in lengths),
        *(numbers.format_currency(Decimal("1234567.5"), code, locale=language) for code in currencies),
        numbers.format_decimal(Decimal("-1234567.891"), locale=language),
        numbers.format_percent(0.256, locale=language),
        [language.plural_form(count) for count in (0, 1, 2, 5, 21, 1_000_000)],
        lists.format_list(["a", "b", "c"], locale=language),
    ]
print(json.dumps([babel.__file__, written]))
"""
REGIONS = sorted(name for name in locale_identifiers() if name.split("_")[0] in LANGUAGES)


def written(
    *isolation: str, names: list[str], folder: Path | None = None, **environ: str
) -> tuple[Path, dict[str, Any]]:
    """Run it in a process of its own, and return where Babel was and what it wrote."""
    command = [sys.executable, *isolation, "-c", WRITE, str(folder or ""), *names]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    place, texts = json.loads(done.stdout)
    return Path(place), texts


@pytest.fixture(scope="module")
def by_all_of_babel() -> dict[str, Any]:
    return written(names=REGIONS)[1]


def test_each_language_in_each_region_is_written_as_all_of_babel_writes_it(
    code: Path, by_all_of_babel: dict[str, Any]
) -> None:
    place, texts = written("-I", "-S", "-B", names=REGIONS, folder=code)

    assert place.is_relative_to(code)
    assert {"de_CH", "en_150", "es_419", "fr_CA", "it_CH", "nl_BE"} <= texts.keys()
    assert texts == by_all_of_babel


@pytest.mark.parametrize("zone", [":UTC", ":/etc/localtime", ":/not/there"])
def test_the_zone_that_lambda_names_in_its_own_way_keeps_no_function_from_mailing(
    zone: str, code: Path, by_all_of_babel: dict[str, Any]
) -> None:
    """Some of Lambda's images name a file that they do not have (aws/aws-lambda-base-images#144)."""
    _, texts = written("-I", "-S", "-B", names=["de"], folder=code, TZ=zone)

    assert texts["de"] == by_all_of_babel["de"]


def test_languages_that_nobody_gets_mails_in_take_no_room(code: Path) -> None:
    data = [path.stem for path in (code / "babel" / "locale-data").glob("*.dat")]

    assert sorted(data) == sorted([*REGIONS, "root"])
