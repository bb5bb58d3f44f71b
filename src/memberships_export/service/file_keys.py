"""Where the files of an export lie in the file store."""

from hashlib import sha256
from uuid import uuid4

from memberships_export.domain.export.record import Export


def parts_folder(export_id: str) -> str:
    """Return the folder of an export's parts: what its pages became, and the profile that it goes by."""
    return f"parts/{export_id}"


def file_folder(export_id: str) -> str:
    """Folder of the finished file. It keeps the name it had when all files were CSV: some are stored under it."""
    return f"csv/{export_id}"


def part_key(export: Export, page: int, place: str | None) -> str:
    """Key of one page: the same page of one walk always has the same key, so it can be stored only once.

    Pages of another walk, or of another profile, have other keys: they are never met again.
    """
    what = sha256(f"{export.profile or ''}{place or ''}".encode()).hexdigest()[:12]
    return f"{parts_folder(export.export_id)}/{export.progress.walk}-{page:06d}-{what}.part"


def profile_key(export_id: str, fingerprint: str) -> str:
    """Key of the text of the profile that an export goes by."""
    return f"{parts_folder(export_id)}/profile-{fingerprint}.toml"


def file_key(export: Export, ending: str) -> str:
    """Key of the file a worker writes, a new one each time: what was damaged, or is a stale worker's, stays apart."""
    return f"{file_folder(export.export_id)}/{export.token}-{uuid4().hex[:8]}.{ending}"
