import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from memberships_export.domain.errors import InvalidAddress
from memberships_export.domain.mail.address import checked_address

# The cases of the isemail corpus that pass, by id. A change of the rule shows here.
ACCEPTED = {5, 8, 9, 10, 11, 12, 13, 14, 19, 21, 22, 23, 24, 25, 27, 29, 32, 33, 37, 38, 100, 101, 166, 167, 168}
LABEL = "a" * 63


def _accepted(address: str) -> bool:
    try:
        return checked_address(address) == address
    except InvalidAddress:
        return False


def _cases(shared_data: Path) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((shared_data / "isemail_cases.json").read_text(encoding="utf-8"))["cases"]
    assert len(cases) == 164
    return cases


def test_exactly_the_known_cases_of_the_corpus_pass(shared_data: Path) -> None:
    assert {case["id"] for case in _cases(shared_data) if _accepted(case["address"])} == ACCEPTED


def test_no_case_of_the_corpus_that_is_an_error_passes(shared_data: Path) -> None:
    wrong = [case["address"] for case in _cases(shared_data) if case["category"] == "ISEMAIL_ERR"]
    assert wrong
    assert [address for address in wrong if _accepted(address)] == []


def test_no_case_of_the_corpus_with_a_control_character_passes(shared_data: Path) -> None:
    addresses = [case["address"] for case in _cases(shared_data)]
    hostile = [address for address in addresses if any(unicodedata.category(sign) == "Cc" for sign in address)]
    assert len(hostile) == 42
    assert [address for address in hostile if _accepted(address)] == []


@pytest.mark.parametrize(
    "address",
    [
        "anna@example.org",
        "anna.berg+club@mail.example.co.uk",
        "o'brien@example.org",
        "a@b",
        "anna@localhost",
        "ANNA@EXAMPLE.ORG",
        "anna@xn--bcher-kva.example",
        f"{'a' * 64}@example.org",
        f"anna@{LABEL}.example",
        f"{'a' * 62}@{LABEL}.{LABEL}.{LABEL}",
    ],
)
def test_one_plain_address_is_returned_unchanged(address: str) -> None:
    assert len(address) <= 254
    assert checked_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        " ",
        "anna",
        "@",
        "@example.org",
        "anna@",
        "anna@@example.org",
        "anna@b@example.org",
        "anna@example.org\n",
        "anna@example.org\r\n",
        "\nanna@example.org",
        "anna@example.org\r\nBcc: ben@example.org",
        "anna@exa\nmple.org",
        "anna\x00@example.org",
        "anna\t@example.org",
        " anna@example.org",
        "anna@example.org ",
        "anna @example.org",
        "anna@example.org,ben@example.org",
        "anna@example.org, ben@example.org",
        "anna@example.org;ben@example.org",
        "anna@example.org ben@example.org",
        "Anna <anna@example.org>",
        "<anna@example.org>",
        "mailto:anna@example.org",
        '"anna"@example.org',
        "anna@[127.0.0.1]",
        "anna(club)@example.org",
        ".anna@example.org",
        "anna.@example.org",
        "an..na@example.org",
        "anna@example..org",
        "anna@.example.org",
        "anna@example.org.",
        "anna@-example.org",
        "anna@example-.org",
        "anna@exa_mple.org",
        "anna@example.org:25",
        "anna%0d%0a@exa%6dple.org",
        "ännä@example.org",
        "anna@bücher.example",
        "anna@example.org\u2028",
        "anna@example.org\u202e",
        "anna\u200b@example.org",
        "anna＠example.org",  # noqa: RUF001  (a full-width @)
        "anna@exampleⒶ.org",
        "٣@example.org",
        f"{'a' * 65}@example.org",
        f"anna@{'a' * 64}.example",
        f"{'a' * 63}@{LABEL}.{LABEL}.{LABEL}",  # 255
        f"anna@{'a.' * 100_000}example",
    ],
)
def test_anything_else_is_refused_without_being_repeated(address: str) -> None:
    with pytest.raises(InvalidAddress, match=r"not one plain address like name@example\.org") as refusal:
        checked_address(address)
    assert len(refusal.value.reason) < 100
