"""Where the demo plays."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from memberships_export.settings import PREFIX, Settings, read_settings, variable

_PAGES = 10  # enough for a bar that moves
_LARGEST_PAGE = 5000


@dataclass(frozen=True, slots=True)
class Play:
    """What the demo is asked to show: so many memberships of an API (its shape, empty for our own), and the file.

    `chosen`: options of the file, as they stand in a query.
    """

    rows: int
    api: str
    chosen: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Scene:
    """Where it plays: its folder, and the settings of its service."""

    play: Play
    folder: Path
    environ: Mapping[str, str]
    settings: Settings

    @property
    def log(self) -> Path:
        """The file that the output of the service goes to."""
        return self.folder / "service.log"


def make_scene(play: Play, environ: Mapping[str, str]) -> Scene:
    """Make the folder. `environ`: by which variables the service finds the memberships API."""
    folder = Path(tempfile.mkdtemp(prefix="memberships-export-demo-"))
    ours = {
        variable("data_dir"): str(folder / "data"),
        variable("port"): "0",
        variable("page_size"): str(min(max(play.rows // _PAGES, 1), _LARGEST_PAGE)),
        **environ,
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return Scene(play, folder, clean | ours, read_settings(ours))
