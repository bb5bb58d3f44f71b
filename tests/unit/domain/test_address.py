import json
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships_export.domain.errors import InvalidAddress
from memberships_export.domain.mail.address import canonical_address, checked_address

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
        "=?utf-8?q?anna?=@example.org",
        "ben=?utf-8?q?anna?=@example.org",
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
    with pytest.raises(InvalidAddress) as refusal:
        checked_address(address)
    assert refusal.value.reason == "The email address is not one plain address like name@example.org."


# --- International domains --------------------------------------------------------------------------------------------

BUECHER = "anna@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address",
    [
        "anna@bücher.example",
        "anna@BÜCHER.Example",
        "anna@bu\u0308cher.example",  # composed of two characters
        "anna@BU\u0308CHER.EXAMPLE",
        "anna@xn--bcher-kva.example",
        "anna@XN--Bcher-KVA.EXAMPLE",
    ],
)
def test_every_spelling_of_an_international_domain_is_the_same_address(address: str) -> None:
    assert canonical_address(address) == BUECHER


@pytest.mark.parametrize(
    "address, canonical",
    [
        ("ANNA@EXAMPLE.ORG", "ANNA@example.org"),
        ("anna@straße.example", "anna@xn--strae-oqa.example"),  # IDNA 2003 makes it somebody else's strasse.example
        ("anna@ΟΔΌΣ.example", "anna@xn--pxavn9a.example"),
        ("anna@аpple.example", "anna@xn--pple-43d.example"),  # noqa: RUF001  (Cyrillic and Latin: a name like others)
        ("anna@שלום.example", "anna@xn--9dbne9b.example"),
        ("anna@食狮.公司.cn", "anna@xn--85x722f.xn--55qx5d.cn"),
    ],
)
def test_the_domain_is_kept_in_ascii_and_lower_case(address: str, canonical: str) -> None:
    assert canonical_address(address) == canonical
    assert checked_address(canonical) == canonical


@pytest.mark.parametrize(
    "domain",
    [
        "ｅxample.org",  # noqa: RUF001  (full width)
        "exampleⒶ.org",
        "bücher。example",
        "bücher．example",  # noqa: RUF001  (full width)
        "bücher｡example",
        "b\u200bücher.example",
        "b\u200cücher.example",
        "b\u200dücher.example",
        "b\u00adücher.example",
        "\ufeffbücher.example",
        "bücher\u202e.example",
        "bücher\u2066.example",
        "abשב.example",
        "bü\x00cher.example",
        "bü\ncher.example",
        "bücher.example\u2028",
        "bücher.example, ben@example.org",
        "bü cher.example",
        "bü_cher.example",
        "-bücher.example",
        "bücher-.example",
        "xn--bücher.example",
        "bücher..example",
        ".bücher.example",
        "bücher.example.",
        "\u0308bücher.example",
        "½.example",
        "ⅻ.example",
        "\ud800.example",
        "😀.example",
        f"{'ü' * 60}.example",
        ".".join(["ü" * 10] * 22),
        "ü" * 1_000_000,
    ],
)
def test_a_domain_that_only_looks_like_another_or_is_none_is_refused_without_being_repeated(domain: str) -> None:
    with pytest.raises(InvalidAddress) as refusal:
        canonical_address(f"anna@{domain}")
    assert "cher" not in refusal.value.reason
    assert len(refusal.value.reason) < 200


def test_a_domain_that_international_rules_do_not_allow_is_refused_by_their_name() -> None:
    with pytest.raises(InvalidAddress) as refusal:
        canonical_address("anna@😀.example")
    assert refusal.value.reason == (
        "The domain of the email address is no valid international one (IDNA 2008): check how it is written."
    )


def test_an_ascii_label_of_an_international_domain_stays_as_it_is() -> None:
    assert canonical_address("anna@bücher.aa--b.example") == "anna@xn--bcher-kva.aa--b.example"


@pytest.mark.parametrize("address", ["ännä@example.org", "ännä@bücher.example", "аnna@example.org", "a@ü@example.org"])  # noqa: RUF001  (Cyrillic)
def test_other_than_ascii_letters_before_the_at_are_refused_and_told_why(address: str) -> None:
    with pytest.raises(InvalidAddress) as refusal:
        canonical_address(address)
    assert refusal.value.reason == (
        "The email address has other than ASCII letters before the @, and not all mail servers take such an address "
        "(SMTPUTF8): use one like name@example.org."
    )


@given(st.text(max_size=20), st.text(max_size=30))
def test_whatever_is_written_one_spelling_comes_out_or_none(local: str, domain: str) -> None:
    try:
        canonical = canonical_address(f"{local}@{domain}")
    except InvalidAddress:
        return
    assert canonical == canonical_address(canonical) == checked_address(canonical)


@given(st.text(st.sampled_from("aBüÜßσΣ\u0308ñ水ش.-"), min_size=1, max_size=20))  # noqa: RUF001  (Greek)
def test_case_and_composition_make_no_second_spelling(domain: str) -> None:
    spellings = set()
    for spelling in (domain, unicodedata.normalize("NFD", domain), unicodedata.normalize("NFC", domain)):
        try:
            spellings.add(canonical_address(f"anna@{spelling}"))
        except InvalidAddress:
            spellings.add("")
    assert len(spellings) == 1


def test_who_has_a_plain_address_does_not_wait_for_the_tables_of_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "idna", None)  # importing it fails
    assert canonical_address("Anna@Example.org") == "Anna@example.org"
    with pytest.raises(ImportError):
        canonical_address("anna@bücher.example")
