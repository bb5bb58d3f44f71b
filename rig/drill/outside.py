"""What is around the service in a drill: an API that checks tokens, and a mail service with keys and credits."""

from dataclasses import dataclass
from pathlib import Path

import jwt

from rig.services.fake_memberships import FakeMemberships
from rig.services.fake_sendgrid import FakeSendGrid
from rig.services.membership_faults import Call
from rig.services.sendgrid_behaviour import ACCEPT, Behaviour, status

_NO_CREDITS = status(401, b'{"errors": [{"message": "Maximum credits exceeded"}]}')


class ForgetfulApi(FakeMemberships):
    """Believes only the tokens that are signed with one of its `secrets`; without any it believes all."""

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.secrets: list[str] = []

    def next_step(self, call: Call, headers: dict[str, str]) -> str:
        """Refuse a token of another secret before anything else."""
        step = super().next_step(call, headers)
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        return step if not self.secrets or any(_signed(token, secret) for secret in self.secrets) else "status:401"


class MailService(FakeSendGrid):
    """Has no credits as long as it has a file `invoice`, until somebody makes the file `paid` beside it."""

    key = "SG.not-a-real-key"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.invoice, self._paid = folder / "invoice", folder / "paid"

    def next_step(self) -> Behaviour:
        """Refuse for want of credits before anything else."""
        step = super().next_step()
        unpaid = self.invoice.exists() and not self._paid.exists()
        return _NO_CREDITS if unpaid and step is ACCEPT else step


@dataclass(frozen=True, slots=True)
class Around:
    """What is around one service."""

    api: ForgetfulApi
    mail: MailService


def _signed(token: str, secret: str) -> bool:
    try:
        jwt.decode(token, secret, algorithms=["HS256"], options={"verify_aud": False})
    except jwt.InvalidTokenError:
        return False
    return True
