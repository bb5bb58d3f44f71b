"""What is wrong with a profile, all of it."""

from collections.abc import Sequence


class ProfileInvalid(Exception):
    """A text is no profile. `problems`: each is a place, what is wrong there, and the fix."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Join the problems into one text."""
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))
