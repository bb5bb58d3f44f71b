"""What an export id looks like in a path."""

import re
from typing import Annotated

from fastapi import Depends, Path

from memberships_export.domain.errors import UnknownExport

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_export_id(text: str) -> bool:
    """Tell whether an export could have this id."""
    return _UUID.fullmatch(text) is not None


async def _checked(
    export_id: Annotated[
        str,
        Path(
            alias="exportId",
            description="The id from the answer that accepted the export.",
            examples=["6f1c1f3e-7f0e-4a59-9d2f-0d7f4b1f8c11"],
            json_schema_extra={"format": "uuid"},
        ),
    ],
) -> str:
    """Refuse anything else as unknown before it reaches a store: some stores choke on long keys."""
    if not is_export_id(export_id):
        raise UnknownExport
    return export_id


ExportId = Annotated[str, Depends(_checked)]
