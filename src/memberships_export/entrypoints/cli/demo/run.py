"""The steps of the demo."""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from memberships_api.repository import MembershipsUnavailable
from memberships_api.sample import sample_memberships
from memberships_export.bootstrap.identity import mint_token
from memberships_export.bootstrap.one_machine import outbox_folder
from memberships_export.entrypoints.cli.ask import watching
from memberships_export.entrypoints.cli.ask.answers import Answer, has_completed, in_a_line
from memberships_export.entrypoints.cli.ask.client import ExportsClient
from memberships_export.entrypoints.cli.demo import text as demo_text
from memberships_export.entrypoints.cli.demo.mail import Arrival, check, read_csv, receive
from memberships_export.entrypoints.cli.demo.service import log_tail, running_service
from memberships_export.entrypoints.cli.demo.shape_server import serving
from memberships_export.entrypoints.cli.demo.shapes import DEMO_USER, SHAPES
from memberships_export.entrypoints.cli.exits import CommandError, WrongUsage
from memberships_export.entrypoints.cli.output import complain, say
from memberships_export.entrypoints.cli.serve.memberships_file import open_memberships
from memberships_export.settings import PREFIX, Settings, read_settings, variable

_EMAIL = "demo@example.org"
_PAGES = 10  # enough for a bar that moves
_LARGEST_PAGE = 5000
_PATIENCE = 900.0  # seconds; a million rows take a minute or two


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the demo plays: its folder, and the settings of its service."""

    folder: Path
    environ: Mapping[str, str]
    settings: Settings
    api: str  # its shape, empty for our own

    @property
    def log(self) -> Path:
        """The file that the output of the service goes to."""
        return self.folder / "service.log"


def run_demo(rows: int, api: str, *, keep: bool) -> None:
    """Play it, with the API of this name or, without one, with our own.

    Raises WrongUsage for a name that is not one, CommandError, with the end of the service's log, unless the right mail
    arrived. What was made stays when the demo ended by itself, to be looked at; whoever breaks it off wants none of it.
    """
    os.umask(0o077)  # in a folder that everybody uses; the service that is started inherits it
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)  # so that the service ends too
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a script started it with SIGINT ignored
    with _memberships(api, rows) as environ:
        _play_with(environ, rows, api, keep=keep)


@contextmanager
def _memberships(api: str, rows: int) -> Iterator[Mapping[str, str]]:
    """Have an API of another shape ready; give the variables by which the service finds it."""
    if not api:
        yield {}
    elif api not in SHAPES:
        raise WrongUsage(f"There is no API {api!r} for the demo. There are: {', '.join(SHAPES)}.")
    else:
        with serving(SHAPES[api], rows) as url:
            yield {variable("memberships_url"): url, variable("profile"): SHAPES[api].profile, **SHAPES[api].secrets}


def _play_with(environ: Mapping[str, str], rows: int, api: str, *, keep: bool) -> None:
    try:
        scene = _scene(rows, api, environ)
    except OSError as error:
        raise CommandError(f"No temporary folder can be made ({error}): set TMPDIR to a folder for it.") from error
    try:
        _play(scene, rows, keep=keep)
    except (KeyboardInterrupt, SystemExit, BrokenPipeError):
        _clear(scene)
        raise
    except (CommandError, OSError, MembershipsUnavailable) as error:
        raise CommandError(f"{error}\n\n{log_tail(scene.log)}\n\nThe whole log: {scene.log}") from error


def _leave(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


def _clear(scene: Scene) -> None:
    """Delete the folder, and let nobody's impatience stop that half-way."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    shutil.rmtree(scene.folder, ignore_errors=True)


def _play(scene: Scene, rows: int, *, keep: bool) -> None:
    say(f"Making {rows:,} memberships for {DEMO_USER} ...")
    if scene.api:
        say(f"They are in an API at {scene.settings.memberships_url}, read by the profile {SHAPES[scene.api].profile}.")
    else:
        _fill(scene.settings, rows)
    token = mint_token(scene.settings, DEMO_USER, _EMAIL, timedelta(hours=24))
    say("Starting the service ...")
    with running_service(scene.environ, scene.log) as url:
        client = ExportsClient(url, token)
        began = time.monotonic()
        say(f"GET {url}/memberships/export")
        answer = _followed(client, client.get_export())
        seconds = time.monotonic() - began
        arrival = receive(outbox_folder(scene.settings), answer, client.download)
        _report(arrival, answer, rows, seconds)
        if keep:
            say(demo_text.while_running(url, token, str(answer["exportId"]), api=scene.api))
            _wait_for_interrupt()
    if keep:
        _clear(scene)
    else:
        say(demo_text.afterwards(scene.folder, DEMO_USER, _EMAIL, api=scene.api))


def _scene(rows: int, api: str, environ: Mapping[str, str]) -> Scene:
    folder = Path(tempfile.mkdtemp(prefix="memberships-export-demo-"))
    page_size = min(max(rows // _PAGES, 1), _LARGEST_PAGE)
    ours = {
        variable("data_dir"): str(folder / "data"),
        variable("port"): "0",
        variable("page_size"): str(page_size),
        **environ,
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return Scene(folder, clean | ours, read_settings(ours), api)


def _fill(settings: Settings, rows: int) -> None:
    repository = open_memberships(settings)
    try:
        repository.add(sample_memberships(rows, DEMO_USER))
    finally:
        repository.close()


def _followed(client: ExportsClient, accepted: Answer) -> Answer:
    """Watch the export to its end. Raises CommandError when it did not complete."""
    answers = watching.answers(lambda: client.status(str(accepted["exportId"])), seconds=0.05)
    last = watching.follow(_in_time(answers), watching.view_for_this_terminal())
    if not has_completed(last):
        raise CommandError(f"The export did not complete: {in_a_line(last)}")
    return last


def _in_time(answers: Iterable[Answer]) -> Iterator[Answer]:
    deadline = time.monotonic() + _PATIENCE
    for answer in answers:
        yield answer
        if time.monotonic() > deadline:
            raise CommandError(f"The export did not end within {_PATIENCE:.0f} seconds: {in_a_line(answer)}")


def _report(arrival: Arrival, answer: Answer, rows: int, seconds: float) -> None:
    content = read_csv(arrival.csv)
    check(content, answer, rows)
    say(demo_text.result(arrival, content, seconds))


def _wait_for_interrupt() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        complain("Stopping the service, and deleting what the demo made.")
