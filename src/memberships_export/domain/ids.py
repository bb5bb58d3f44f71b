"""Which ids of users and exports are taken: one rule at both ends, so that no queue refuses what the API accepted."""

LONGEST_ID = 255  # characters


def is_id(text: str) -> bool:
    """Tell whether this is an id: up to 255 characters, and each can be printed."""
    return 0 < len(text) <= LONGEST_ID and text.isprintable()
