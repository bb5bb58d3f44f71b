"""What may be chosen about a file, as the API tells it, put into words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from memberships_export.entrypoints.cli.output import table, visible

Offer = Mapping[str, Any]


def offer_in_full(offer: Offer, zone: str | None) -> str:
    """Say all that may be chosen, in one block for each option of `request`. `zone`: what was looked for in zones."""
    return "\n\n".join(_blocks(offer, zone))


def _blocks(offer: Offer, zone: str | None) -> Iterator[str]:
    label = f"LABEL ({visible(offer.get('language'))})"
    yield table(("--format", "MEANING"), _rows(offer, "formats", "name", "meaning"))
    yield table(("--columns", label, "TYPE"), _rows(offer, "columns", "name", "label", "type"))
    yield table(("--language", "NAME"), _rows(offer, "languages", "tag", "name"))
    yield _zones(offer.get("timeZones") or {}, zone)
    yield table(("--preset", "MEANING"), _rows(offer, "presets", "name", "meaning"))
    signs = [("--delimiter", offer.get("delimiters")), ("--decimal", offer.get("decimals"))]
    yield "\n".join(f"{option:<12} {' '.join(map(visible, known or []))}" for option, known in signs)
    if filters := offer.get("filters"):
        yield table(("--filter", label, "VALUE"), [_filter(one) for one in filters])


def _rows(offer: Offer, kind: str, *names: str) -> Sequence[Sequence[object]]:
    return [[one.get(name) for name in names] for one in offer.get(kind) or []]


def _zones(zones: Mapping[str, Any], zone: str | None) -> str:
    if found := zones.get("found"):
        return table(("--time-zone",), [(name,) for name in found])
    none_found = f"None has {visible(zone)} in its name. There are " if zone else ""
    names = f"{none_found}{visible(zones.get('count'))} names such as Europe/Berlin"
    return f"--time-zone\n{names}: memberships-export options --zone berl finds some"


def _filter(known: Mapping[str, Any]) -> Sequence[object]:
    values = known.get("values")
    return (known.get("name"), known.get("label"), ", ".join(map(str, values)) if values else "a date: 2026-01-31")
