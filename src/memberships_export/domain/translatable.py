"""Marks English texts that are translated where they are shown: `make translations` collects them by this name."""


def translatable(text: str) -> str:
    """Return the text as it is."""
    return text
