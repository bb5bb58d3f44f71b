"""What tests of calls by a profile share: profiles by their table [auth], and sources that ask."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from memberships_export.adapters.source.call import HttpLimits, MembershipsHttp
from memberships_export.adapters.source.profile_secrets import ProfileSecrets
from memberships_export.domain.source.exchange import Call
from memberships_export.domain.source.profile import KnownProfile, Profile

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LIMITS = HttpLimits(connect_seconds=5, read_seconds=10, total_seconds=20, body_bytes=100_000)
PAGE = Call(user_id="anna", path="/v1/members/anna/memberships", query="customer=anna&page=7")


def known(auth: Mapping[str, Any] | None = None, fingerprint: str = "0011223344556677", **tables: Any) -> KnownProfile:  # noqa: ANN401
    """Make a profile. `tables`: other tables of it."""
    raw = {
        "version": 1,
        "request": {"path": "/v1/members/{user.id}/memberships"},
        "auth": auth or {"type": "service_jwt"},
        "rows": {"path": "", "key": ["id"]},
        "paginator": {"type": "single_page"},
        "columns": [{"name": "id"}],
    }
    return KnownProfile("club", "", fingerprint, msgspec.convert(raw | tables, Profile))


def source(url: str, environ: Mapping[str, str] | None = None, limits: HttpLimits = LIMITS) -> MembershipsHttp:
    """Make a source whose profiles find their secrets in these variables."""
    return asks_with(url, ProfileSecrets(environ or {}), limits)


def asks_with(url: str, secrets: ProfileSecrets, limits: HttpLimits = LIMITS) -> MembershipsHttp:
    """Make a source whose profiles find their secrets there."""
    return MembershipsHttp(url, lambda user: f"jwt-of-{user}", limits, lambda: NOW, secrets)
