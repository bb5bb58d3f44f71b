"""Colours that can be read, by the contrast of WCAG 2 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""

WHITE, BLACK = "#ffffff", "#000000"
_STEPS = 20


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours written as #rrggbb: from 1, none, to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def text_on(colour: str) -> str:
    """Return white or black, whichever is easier to read on it."""
    return max(WHITE, BLACK, key=lambda text: contrast(text, colour))


def seen_on(background: str, colour: str, least: float) -> str:
    """Return the colour, mixed with as much white or black as it takes to stand out from the background.

    `least`: the contrast that is enough, at most that of black or white with the background.
    """
    towards = text_on(background)
    mixed = (_mixed(colour, towards, step / _STEPS) for step in range(_STEPS + 1))
    return next(candidate for candidate in mixed if contrast(candidate, background) >= least or candidate == towards)


def _mixed(one: str, other: str, share: float) -> str:
    parts = (round(a + (b - a) * share) for a, b in zip(_channels(one), _channels(other), strict=True))
    return "#" + "".join(f"{part:02x}" for part in parts)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4  # noqa: PLR2004  (as the standard has it)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
