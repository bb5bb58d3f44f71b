"""`token`: a user's token to try the API with."""

from datetime import timedelta
from typing import Annotated

import typer

from memberships_export.domain.errors import InvalidAddress
from memberships_export.domain.ids import LONGEST_ID, is_id
from memberships_export.domain.mail.address import canonical_address
from memberships_export.entrypoints.cli.data_folder import holds, make_writable
from memberships_export.entrypoints.cli.environment import settings_here, wiring
from memberships_export.entrypoints.cli.exits import WrongUsage
from memberships_export.entrypoints.cli.output import complain, say
from memberships_export.settings import variable

_LONGEST_HOURS = 24 * 365


def token(
    user_id: Annotated[str, typer.Option(help="The user whose memberships are exported.")],
    email: Annotated[str, typer.Option(help="The address that exports are mailed to.")],
    hours: Annotated[float, typer.Option(min=0.01, max=_LONGEST_HOURS, help="How long it is valid.")] = 1,
) -> None:
    """Print a token for a user, signed with the secret of the service on this machine."""
    settings = settings_here()
    if not settings.makes_tokens:
        known_by = next(name for name in ("jwks_url", "introspection_url", "alb_arn") if getattr(settings, name))
        raise WrongUsage(
            f"{variable(known_by)} is set, so tokens come from your identity provider: take one from there, or unset "
            "it to try the service with tokens made here."
        )
    email = _checked(user_id, email)
    from memberships_export.bootstrap.identity import mint_token  # noqa: PLC0415  (takes long; wrong usage is told at once)
    from memberships_export.bootstrap.one_machine import close_data_folder  # noqa: PLC0415

    if not settings.jwt_secret and not holds(settings.data_dir, "secrets"):
        make_writable(settings.data_dir)
        close_data_folder(settings)
        complain(f"Made a new secret in {settings.data_dir.absolute()}: the service must use this data folder too.")
    with wiring():
        say(mint_token(settings, user_id, email, timedelta(hours=hours)))


def _checked(user_id: str, email: str) -> str:
    if not user_id.strip() or not is_id(user_id):
        raise WrongUsage(f"--user-id is {user_id!r}, but must be an id of 1 to {LONGEST_ID} visible characters.")
    try:
        return canonical_address(email)
    except InvalidAddress as error:
        raise WrongUsage(f"--email is {email!r}. {error.reason}") from error
