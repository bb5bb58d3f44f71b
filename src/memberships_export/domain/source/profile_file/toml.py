"""The text of a profile that was checked before: a shipped one, or one that an export was begun with."""

from hashlib import sha256

from msgspec import convert

from memberships_export.domain.source.profile import KnownProfile, Profile


def known_profile(text: str, name: str) -> KnownProfile:
    """Read it without looking for problems, which takes a fraction of the time. Raises ValueError when it is none."""
    import tomllib  # noqa: PLC0415  (a function that finds nothing to fetch starts without it)

    return KnownProfile(name, text, fingerprint(text), convert(tomllib.loads(text), Profile))


def fingerprint(text: str) -> str:
    """Return what names this version of a profile: the first 16 hex digits of the SHA-256 of its text."""
    return sha256(text.encode()).hexdigest()[:16]
