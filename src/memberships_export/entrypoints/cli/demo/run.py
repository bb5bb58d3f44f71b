"""The steps of the demo."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import NoReturn

from memberships_api.membership import Membership
from memberships_api.repository import MembershipsUnavailable
from memberships_api.sample import sample_memberships
from memberships_export.bootstrap.identity import mint_token
from memberships_export.bootstrap.one_machine import outbox_folder
from memberships_export.entrypoints.cli.ask import watching
from memberships_export.entrypoints.cli.ask.answers import Answer, has_completed, in_a_line
from memberships_export.entrypoints.cli.ask.client import ExportsClient, path_with
from memberships_export.entrypoints.cli.ask.refusal import RefusedByService
from memberships_export.entrypoints.cli.demo import text as demo_text
from memberships_export.entrypoints.cli.demo.content import checked_content
from memberships_export.entrypoints.cli.demo.mail import receive
from memberships_export.entrypoints.cli.demo.scene import Play, Scene, make_scene
from memberships_export.entrypoints.cli.demo.service import log_tail, running_service
from memberships_export.entrypoints.cli.demo.shape_server import serving
from memberships_export.entrypoints.cli.demo.shapes import DEMO_USER, SHAPES, memberships_in_order
from memberships_export.entrypoints.cli.exits import CommandError, ExitCode, WrongUsage
from memberships_export.entrypoints.cli.output import complain, say
from memberships_export.entrypoints.cli.serve.memberships_file import open_memberships
from memberships_export.settings import Settings, variable

_EMAIL = "demo@example.org"
_PATIENCE = 900.0  # seconds; a million rows take a minute or two


class OptionsRefused(CommandError):
    """The service cannot make such a file: who asked for it has mistyped, and the demo leaves nothing."""

    exit_code = ExitCode.USAGE
    code = "invalid_options"


def run_demo(play: Play, *, keep: bool) -> None:
    """Show one export from request to mail.

    Raises WrongUsage for a name that is not one, CommandError, with the end of the service's log, unless the right mail
    arrived. What was made stays when the demo ended by itself, to be looked at; whoever breaks it off wants none of it.
    """
    os.umask(0o077)  # in a folder that everybody uses; the service that is started inherits it
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)  # so that the service ends too
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a script started it with SIGINT ignored
    with _memberships(play.api, play.rows) as environ:
        _play_with(environ, play, keep=keep)


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


def _play_with(environ: Mapping[str, str], play: Play, *, keep: bool) -> None:
    try:
        scene = make_scene(play, environ)
    except OSError as error:
        raise CommandError(f"No temporary folder can be made ({error}): set TMPDIR to a folder for it.") from error
    try:
        _play(scene, keep=keep)
    except (KeyboardInterrupt, SystemExit, BrokenPipeError, OptionsRefused):
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


def _play(scene: Scene, *, keep: bool) -> None:
    rows, api = scene.play.rows, scene.play.api
    say(f"Making {rows:,} memberships for {DEMO_USER} ...")
    if api:
        say(f"They are in an API at {scene.settings.memberships_url}, read by the profile {SHAPES[api].profile}.")
    else:
        _fill(scene.settings, rows)
    token = mint_token(scene.settings, DEMO_USER, _EMAIL, timedelta(hours=24))
    say("Starting the service ...")
    with running_service(scene.environ, scene.log) as url:
        client = ExportsClient(url, token)
        answer = _shown(scene, client)
        if keep:
            say(demo_text.while_running(url, token, str(answer["exportId"]), scene))
            _wait_for_interrupt()
    if keep:
        _clear(scene)
    else:
        say(demo_text.afterwards(scene, DEMO_USER, _EMAIL))


def _shown(scene: Scene, client: ExportsClient) -> Answer:
    """Ask for the export, watch it, and look at what arrived."""
    began = time.monotonic()
    path = path_with("/memberships/export", scene.play.chosen)
    say(f"GET {client.url}{path}")
    answer = _followed(client, _asked(client, path))
    seconds = time.monotonic() - began
    arrival = receive(outbox_folder(scene.settings), answer, client.download)
    content = checked_content(arrival.file, answer, _names(client, answer), _memberships_of(scene))
    say(demo_text.result(arrival, content, seconds))
    return answer


def _asked(client: ExportsClient, path: str) -> Answer:
    try:
        return client.get_export(path)
    except RefusedByService as error:
        if error.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise OptionsRefused(str(error)) from error
        raise


def _names(client: ExportsClient, answer: Answer) -> Sequence[str]:
    """Return the names of the file's columns."""
    return answer["options"]["columns"] or [column["name"] for column in client.options()["columns"]]


def _memberships_of(scene: Scene) -> Iterator[Membership]:
    newest_first = bool(scene.play.api) and SHAPES[scene.play.api].newest_first
    return memberships_in_order(scene.play.rows, newest_first=newest_first)


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


def _wait_for_interrupt() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        complain("Stopping the service, and deleting what the demo made.")
