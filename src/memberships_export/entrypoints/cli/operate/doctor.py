"""`doctor`: looks at the data folder and the settings of one machine, and says what to type. It changes nothing."""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from memberships_export.entrypoints.cli.data_folder import holds
from memberships_export.entrypoints.cli.exits import ExitCode, WrongUsage
from memberships_export.entrypoints.cli.output import say, say_json, visible
from memberships_export.settings import Problem, Settings, SettingsError, read_settings, variable

if TYPE_CHECKING:
    from memberships_export.bootstrap.data_folder import Check

_WHERE = variable("data_dir")  # enough to look at the data folder where other settings are wrong


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Look at the data folder and the settings; the service may run. Ends with 1 when it found anything."""
    if os.environ.get(variable("backend")) == "aws":
        raise WrongUsage(f"{variable('backend')} is aws: `doctor` looks at one machine. See docs/runbook-aws.md.")
    settings, wrong = _settings()
    if not holds(settings.data_dir, "exports.db"):
        raise WrongUsage(
            f"There are no exports in {settings.data_dir.absolute()}. Run this in the folder of the service, or set "
            f"{variable('data_dir')} to its data folder."
        )
    from memberships_export.bootstrap.data_folder import examine  # noqa: PLC0415  (takes long: not for --help)

    checks = examine(settings, wrong)
    if as_json:
        say_json({"dataFolder": str(settings.data_dir.absolute()), "checks": [_entry(check) for check in checks]})
    else:
        say("\n".join(line for check in checks for line in _lines(check)))
    _end(checks)


def _settings() -> tuple[Settings, Sequence[str]]:
    """Read the settings, and what keeps the service from starting with them."""
    try:
        return read_settings(os.environ, _also), ()
    except SettingsError as error:
        return read_settings({_WHERE: os.environ.get(_WHERE, "")}), error.problems


def _also(settings: Settings) -> Iterator[Problem]:
    from memberships_export.bootstrap.backend import problems_at_start  # noqa: PLC0415  (as above)
    from memberships_export.bootstrap.identity import problems_of_api  # noqa: PLC0415

    yield from problems_at_start(settings, fetches=True)
    yield from problems_of_api(settings)


def _entry(check: "Check") -> dict[str, object]:
    findings = [{"what": finding.what, "fix": finding.fix} for finding in check.findings]
    return {
        "name": check.name,
        "ok": not findings and not check.unknown,
        "findings": findings,
        "unknown": check.unknown,
    }


def _lines(check: "Check") -> Iterator[str]:
    if not check.findings and not check.unknown:
        yield f"ok    {check.name}"
    for finding in check.findings:
        yield visible(f"look  {check.name}: {finding.what}.")
        yield visible(f"      {finding.fix}")
    if check.unknown:
        yield visible(f"?     {check.name}: {check.unknown}")


def _end(checks: Sequence["Check"]) -> None:
    if any(check.findings for check in checks):
        raise typer.Exit(ExitCode.FAILED)
    if any(check.unknown for check in checks):
        raise typer.Exit(ExitCode.USAGE)
