"""The database of the bundled memberships API."""

import logging
from typing import TYPE_CHECKING

from memberships_api.deferred_repository import DeferredRepository
from memberships_api.repository import DatabaseRefuses, MembershipRepository, MembershipsUnavailable
from memberships_api.sqlite_repository import SqliteMembershipRepository
from memberships_export.bootstrap.one_machine import close_data_folder
from memberships_export.entrypoints.cli.data_folder import make_writable
from memberships_export.entrypoints.cli.exits import CommandError
from memberships_export.settings import Settings, variable

if TYPE_CHECKING:
    from memberships_api.postgres_repository import PostgresMembershipRepository

log = logging.getLogger(__name__)
_URL = variable("memberships_database_url")


def open_memberships(settings: Settings) -> "SqliteMembershipRepository | PostgresMembershipRepository":
    """Open the one of the settings, making what is missing first. Raises CommandError."""
    if settings.memberships_database_url:
        return _in_postgres(settings.memberships_database_url)
    return _in_data_folder(settings)


def memberships_to_serve(settings: Settings) -> MembershipRepository:
    """Open the one of the settings for an API. Raises CommandError.

    It starts also while PostgreSQL is away, because exports that are done need no memberships; not when it refuses.
    """
    if settings.memberships_database_url:
        return _in_postgres_when_it_is_there(settings.memberships_database_url)
    return _in_data_folder(settings)


def _in_data_folder(settings: Settings) -> SqliteMembershipRepository:
    make_writable(settings.data_dir)
    close_data_folder(settings)
    path = settings.data_dir / "memberships.db"
    try:
        return SqliteMembershipRepository(path)
    except MembershipsUnavailable as error:
        raise CommandError(str(error)) from error


def _in_postgres(database_url: str) -> "PostgresMembershipRepository":
    try:
        return _postgres()(database_url)
    except MembershipsUnavailable as error:
        raise CommandError(f"{error} It is in {_URL}.") from error


def _in_postgres_when_it_is_there(database_url: str) -> DeferredRepository:
    kind = _postgres()
    repository = DeferredRepository(lambda: kind(database_url))
    try:
        repository.cursor_key()
    except DatabaseRefuses as error:
        raise CommandError(f"{error} It is in {_URL}.") from error
    except MembershipsUnavailable as error:
        log.warning("event=unavailable reason=%s It is in %s.", error, _URL)
    return repository


def _postgres() -> "type[PostgresMembershipRepository]":
    try:
        from memberships_api.postgres_repository import PostgresMembershipRepository  # noqa: PLC0415  (optional)
    except ImportError as error:
        raise CommandError(f"{_URL} is set, but psycopg is missing: pip install 'psycopg[binary]'") from error
    return PostgresMembershipRepository
