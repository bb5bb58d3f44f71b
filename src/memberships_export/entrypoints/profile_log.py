"""What each process that asks an API tells its log at the start: by which profile."""

import logging

from memberships_export.domain.source.profile import KnownProfile
from memberships_export.domain.source.survey.proof import proof_of

log = logging.getLogger(__name__)


def tell_profile(known: KnownProfile) -> None:
    """Log by which profile this process works, and what exports by it can prove."""
    profile, proof = known.profile, proof_of(known.profile)
    log.info(
        "name=%s sha256=%s columns=%d paginator=%s proof=%s event=profile",
        known.name,
        known.fingerprint,
        len(profile.columns),
        profile.paginator.__struct_config__.tag,
        f"{proof.grade},{'checked' if proof.owned else 'scoped'}",
    )
