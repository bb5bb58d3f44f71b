"""`pause` and `resume`: the service on this machine or on AWS accepts, and does not work."""

from typing import TYPE_CHECKING, Annotated

import typer

from memberships_export.domain.pause import Pause
from memberships_export.entrypoints.cli.environment import settings_with_data, wiring
from memberships_export.entrypoints.cli.exits import WrongUsage
from memberships_export.entrypoints.cli.output import say, say_json, visible

if TYPE_CHECKING:
    from memberships_export.domain.audit import Origin
    from memberships_export.service.operator.pause import PauseService

_LONGEST_REASON = 500

Backend = Annotated[
    str | None,
    typer.Option("--backend", help="embedded or aws: instead of MEMBERSHIPS_EXPORT_BACKEND.", metavar="NAME"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for other operators. No personal data.")]
Drain = Annotated[bool, typer.Option("--drain", help="Let what runs come to its end; else it stops within a page.")]


def pause(reason: Reason = "", drain: Drain = False, as_json: AsJson = False, backend: Backend = None) -> None:
    """Let the service accept exports and not work on them. Nothing is mailed until `resume`."""
    if len(reason) > _LONGEST_REASON:
        raise WrongUsage(f"--reason has {len(reason)} characters; at most {_LONGEST_REASON} are kept.")
    service, origin = _service(backend)
    found = service.pause(origin, reason, drain=drain)
    if as_json:
        return say_json({"paused": _shown(found)})
    how = "What runs comes to its end." if found.drain else "What runs stops within a page."
    return say(f"{_told(found)} {how} To go on: memberships-export resume")


def resume(as_json: AsJson = False, backend: Backend = None) -> None:
    """Let the service work again. Exports go on where they stopped, within a minute."""
    service, origin = _service(backend)
    ended = service.resume(origin)
    if as_json:
        return say_json({"ended": _shown(ended) if ended else None})
    return say(f"The service works again. {_told(ended)}" if ended else "The service was not paused.")


def _service(backend: str | None) -> "tuple[PauseService, Origin]":
    settings = settings_with_data(backend)
    from memberships_export.bootstrap.backend import operator_origin, pausing  # noqa: PLC0415  (long: not for --help)

    with wiring():
        return pausing(settings), operator_origin(settings)


def _told(pause: Pause) -> str:
    why = f": {pause.reason.rstrip('.')}" if pause.reason else ""
    return visible(f"Paused since {pause.since:%Y-%m-%d %H:%M:%S} UTC by {pause.by}{why}.")


def _shown(pause: Pause) -> dict[str, object]:
    return {"since": pause.since.isoformat(), "by": pause.by, "reason": pause.reason, "drain": pause.drain}
