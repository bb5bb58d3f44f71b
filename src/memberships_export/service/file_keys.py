"""Where the files of an export lie in the file store."""

from hashlib import sha256
from uuid import uuid4

from memberships_export.domain.export.record import Export


def parts_folder(export_id: str) -> str:
    """Return the folder of an export's parts: its pages, as they were received."""
    return f"parts/{export_id}"


def file_folder(export_id: str) -> str:
    """Folder of the finished file. It keeps the name it had when all files were CSV: some are stored under it."""
    return f"csv/{export_id}"


def part_key(export_id: str, walk: int, page: int, cursor: str | None) -> str:
    """Key of one page: the same page of one walk always has the same key, so it can be stored only once."""
    return f"{parts_folder(export_id)}/{walk}-{page:06d}-{sha256((cursor or '').encode()).hexdigest()[:12]}.part"


def file_key(export: Export, ending: str) -> str:
    """Key of the file a worker writes, a new one each time: what was damaged, or is a stale worker's, stays apart."""
    return f"{file_folder(export.export_id)}/{export.token}-{uuid4().hex[:8]}.{ending}"
