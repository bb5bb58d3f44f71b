"""Links in mails that give the file without a login: one token per export, expiring and revocable."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from memberships_export.domain.export.record import Export


@dataclass(frozen=True, slots=True)
class DownloadLinks:
    """Makes and checks links. The token is an HMAC of the export and its link generation, so none is stored."""

    secret: Callable[[], str]
    public_url: str

    def url(self, export: Export) -> str:
        """Return the link to mail. It ends with the file, and is revoked by raising the link generation."""
        return f"{self.public_url}/memberships/exports/{export.export_id}/download/{self._token(export)}"

    def opens(self, export: Export, token: str) -> bool:
        """Check a token in constant time."""
        return hmac.compare_digest(self._token(export).encode(), token.encode())

    def _token(self, export: Export) -> str:
        subject = f"download:{export.export_id}:{export.link_generation}".encode()
        return urlsafe_b64encode(hmac.digest(self.secret().encode(), subject, sha256)).decode().rstrip("=")
