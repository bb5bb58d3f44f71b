"""What a newcomer wants to know first."""

from contextlib import suppress
from dataclasses import dataclass

from memberships_export.bootstrap.one_machine import mails_go_to
from memberships_export.domain.source.profile import KnownProfile
from memberships_export.entrypoints.cli.exits import CommandError
from memberships_export.entrypoints.cli.output import say
from memberships_export.entrypoints.cli.program import program
from memberships_export.entrypoints.cli.serve.roles import Roles
from memberships_export.entrypoints.cli.serve.site import Site


@dataclass(frozen=True, slots=True)
class Welcome:
    """Where everything is, and what to type next."""

    site: Site
    command: Roles
    profile: KnownProfile | None  # a service that fetches nothing needs none

    def print(self) -> None:
        """Print it, now that it is true. Nobody has to read it: the service goes on also when it cannot be written."""
        facts = [f"{name:<12} {value}" for name, value in self._facts()]
        with suppress(BrokenPipeError, CommandError):
            say("\n".join([*facts, *self._next_steps()]))

    def _facts(self) -> list[tuple[str, str]]:
        listening = [("Listening on", self.site.listening.url)] if self.site.listening else []
        path = self.profile.profile.request.path if self.profile else "/memberships"
        return [*listening, ("Memberships", f"{self.site.memberships_url}{path}"), *self._places()]

    def _places(self) -> list[tuple[str, str]]:
        settings = self.site.settings
        if settings.backend == "aws":
            return [("Records", f"DynamoDB table {settings.table}"), ("Messages", str(settings.queue_url))]
        return [("Data folder", str(settings.data_dir.absolute())), ("Mails go to", mails_go_to(settings))]

    def _next_steps(self) -> list[str]:
        """Say what to type in another terminal.

        A worker alone needs nothing more, nor does one of many containers or one behind a balancer that logs users in.
        """
        settings = self.site.settings
        if not self.site.listening or settings.backend == "aws" or settings.alb_arn:
            return []
        return [
            "",
            "Try it in another terminal, in this folder:",
            f"  export MEMBERSHIPS_EXPORT_URL={self.site.listening.url}",
            *self._token_step(),
            f"  {program()} watch $({program()} request)",
            *([] if settings.memberships_url else [f"To have something to export: {program()} import --help"]),
            *([] if self.command.worker else [f"Nothing is exported until a worker runs: {self._worker_command()}"]),
        ]

    def _worker_command(self) -> str:
        port = (
            f" --port {self.site.listening.port}"
            if self.site.listening and not self.site.settings.memberships_url
            else ""
        )
        return f"{program()} worker{port}"

    def _token_step(self) -> list[str]:
        if not self.site.settings.makes_tokens:
            return ["  export MEMBERSHIPS_EXPORT_TOKEN=<a token of your identity provider>"]
        command = f"{program()} token --user-id user-1 --email you@example.org"
        return [f"  export MEMBERSHIPS_EXPORT_TOKEN=$({command})"]
