"""Which version this is. Here and not asked of the installed package: that takes longer than the rest of a start."""

NAME = "memberships-export"
VERSION = "0.1.0"  # as in pyproject.toml; a test compares them
USER_AGENT = f"{NAME}/{VERSION}"
