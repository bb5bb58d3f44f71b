"""`check-api`: whether a memberships API and its profile fit, before anybody waits for an export."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from memberships_export.domain.errors import InvalidAddress
from memberships_export.domain.ids import LONGEST_ID, is_id
from memberships_export.domain.mail.address import canonical_address
from memberships_export.domain.source.asking import Ask, User
from memberships_export.domain.source.profile import KnownProfile, ServiceJwt
from memberships_export.entrypoints.cli.ask.choosing import Filters, pairs
from memberships_export.entrypoints.cli.data_folder import holds
from memberships_export.entrypoints.cli.environment import settings_here, wiring
from memberships_export.entrypoints.cli.exits import ExitCode, WrongUsage
from memberships_export.entrypoints.cli.output import say, say_json
from memberships_export.settings import Settings, variable

if TYPE_CHECKING:
    from memberships_export.service.operator.api_report import Report


def check_api(  # noqa: PLR0913, PLR0917  (one for each option)
    user: Annotated[str, typer.Option(metavar="ID", help="A user that has memberships there, on two pages at best.")],
    email: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The user's address, where the profile asks with it.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="FILE|NAME", help="Check this one, instead of MEMBERSHIPS_EXPORT_PROFILE.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Ask there, instead of at MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL.")
    ] = None,
    filters: Filters = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    show_values: Annotated[
        bool, typer.Option("--show-values", help="Show examples of values as they are, not only their form.")
    ] = False,
) -> None:
    """Ask the memberships API for two pages of a user, and say what fits its profile and what does not."""
    settings = settings_here(_flags(profile, url))
    asked_for = User(user, _address(email))
    with _without_a_log():
        report = _checked(settings, asked_for, pairs(filters) or {})
    from memberships_export.entrypoints.cli.operate.check_api_json import as_json_value  # noqa: PLC0415  (as below)
    from memberships_export.entrypoints.cli.operate.check_api_text import as_text  # noqa: PLC0415

    if as_json:
        say_json(as_json_value(report, show_values=show_values))
    else:
        say(as_text(report, Ask(report.known.profile, asked_for, 1).owner, show_values=show_values))
    if report.problems:
        raise typer.Exit(ExitCode.FAILED)


def _flags(profile: str | None, url: str | None) -> Mapping[str, str]:
    given = {"profile": profile, "memberships_url": url}
    for name, value in given.items():
        if value is not None and not value.strip():
            raise WrongUsage(f"--{name.rpartition('_')[2]} is empty.")
    return {name: value for name, value in given.items() if value is not None}


@contextmanager
def _without_a_log() -> Iterator[None]:
    """Say nothing beside the answer: it holds what adapters would log."""
    ours, silent = logging.getLogger("memberships_export"), logging.NullHandler()
    ours.addHandler(silent)
    try:
        yield
    finally:
        ours.removeHandler(silent)


def _checked(settings: Settings, user: User, filters: Mapping[str, str]) -> "Report":
    from memberships_export.bootstrap import backend  # noqa: PLC0415  (takes long; wrong usage is told at once)
    from memberships_export.domain.source.reader import reader_of  # noqa: PLC0415
    from memberships_export.entrypoints.cli.serve.listening import local_url  # noqa: PLC0415
    from memberships_export.service.operator.check_api import CheckApi  # noqa: PLC0415

    _check_id(user.id)
    known = backend.usable_profile(settings)
    _check_fits(settings, known, user)
    _check_filters(known, filters)
    with wiring():
        source = backend.memberships_api(settings, settings.memberships_url or local_url(settings))
    check = CheckApi(
        source=source, reader=reader_of(known), page_size=settings.policy.page_size, seconds=time.perf_counter
    )
    return check(user, filters)


def _check_filters(known: KnownProfile, filters: Mapping[str, str]) -> None:
    from memberships_export.domain.formats.by_profile import chosen_filters  # noqa: PLC0415  (few ask for one)
    from memberships_export.domain.formats.options import FilterValue  # noqa: PLC0415
    from memberships_export.domain.formats.problems import Problems  # noqa: PLC0415

    problems = Problems()
    chosen_filters([FilterValue(name, value) for name, value in filters.items()], known.profile, problems)
    if problems.found:
        raise WrongUsage(f"--filter: {' '.join(text for _, text in problems.found)}")


def _check_id(user_id: str) -> None:
    if not user_id.strip() or not is_id(user_id):
        raise WrongUsage(f"--user is {user_id!r}, but must be an id of 1 to {LONGEST_ID} visible characters.")


def _address(email: str | None) -> str:
    if email is None:
        return ""
    try:
        return canonical_address(email)
    except InvalidAddress as error:
        raise WrongUsage(f"--email is {email!r}, but must be one plain email address. {error.reason}") from error


def _check_fits(settings: Settings, known: KnownProfile, user: User) -> None:
    if not user.email and "{user.email}" in str(known.profile.request):
        raise WrongUsage(f"--email is missing: {known.name} asks with {{user.email}}.")
    made_here = settings.backend == "embedded" and not settings.service_secret
    if isinstance(known.profile.auth, ServiceJwt) and made_here and not holds(settings.data_dir, "secrets"):
        raise WrongUsage(
            f"{known.name} shows the API a token of ours, and there is no secret for it in "
            f"{settings.data_dir.absolute()}. Run this in the folder of the service, or set "
            f"{variable('service_secret')}."
        )
