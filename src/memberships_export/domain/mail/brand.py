"""How mails look and whom they name, as the club wants it."""

from dataclasses import dataclass

COLOUR = "#1f5fbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """All that a template may name beside the facts."""

    name: str | None = None  # of the club; None: mails name nobody
    logo_url: str | None = None  # https; the only thing in a mail that is loaded from elsewhere
    colour: str = COLOUR  # of the button, as #rrggbb
    contact: str | None = None  # an address or an https URL; None: members are asked to tell their club
