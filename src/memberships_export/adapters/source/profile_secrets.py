"""The secrets that a profile names: from the environment, or from where the backend keeps them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from memberships_export.adapters.source.wording import refusal
from memberships_export.domain.source.profile_file.secrets import is_reference, problem_with


class ManagedSecret(Protocol):
    """A secret that may be rotated while we run."""

    def __call__(self) -> str:
        """Return its text, which may be some seconds old."""
        ...

    def anew(self, refused: str) -> str:
        """Return its text as it is now, when `refused` is not it any more."""
        ...


class ProfileSecrets:
    """Finds what a profile's `env:NAME` and `secret:ID` stand for; other texts stand for themselves."""

    def __init__(self, environ: Mapping[str, str], managed: Callable[[str], ManagedSecret] | None = None) -> None:
        """`environ`: as it was at start. `managed` finds a secret by its id; None on one machine."""
        self._environ = environ
        self._managed = managed

    def __call__(self, text: str) -> str:
        """Return what the text stands for. Raises MembershipsRefused naming a secret that is missing or unfit."""
        return self._checked(text, self._read(text)) if is_reference(text) else text

    def anew(self, text: str, refused: str) -> str:
        """Return what the text stands for now, after `refused` was not accepted."""
        kind, _, name = text.partition(":")
        if kind != "secret" or self._managed is None:
            return self(text)
        return self._checked(text, self._managed(name).anew(refused))

    def problems(self, references: Iterable[str]) -> Iterator[str]:
        """Name each secret that cannot be read here, and say what to do. What the backend keeps is not called for."""
        for reference in references:
            kind, _, name = reference.partition(":")
            if kind == "secret" and self._managed is None:
                yield (
                    f"{reference} is a secret of AWS Secrets Manager, and only a service on AWS reads those: name a "
                    "variable instead, as env:NAME, and set it."
                )
            elif kind == "env" and (problem := problem_with(self._environ.get(name))):
                yield f"{reference} {problem}: set the environment variable {name} before the start."

    def _read(self, reference: str) -> str | None:
        kind, _, name = reference.partition(":")
        if kind == "env":
            return self._environ.get(name)
        return self._managed(name)() if self._managed else None

    def _checked(self, reference: str, found: str | None) -> str:
        if found is not None and not problem_with(found):
            return found
        (told,) = (*self.problems([reference]), f"{reference} {problem_with(found)}: put the secret itself there.")[:1]
        raise refusal("secrets", "none", f"A secret that the profile names cannot be used. {told}")
