from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from memberships_export.bootstrap.backend import connect
from memberships_export.entrypoints.cli.main import make_app
from memberships_export.ports import Ports
from memberships_export.settings import Settings
from tests.unit.cli.stub_api import StubApi, stub_api

Cli = Callable[..., Result]


@pytest.fixture
def ports(tmp_path: Path) -> Ports:
    """The store and queues of a service that has run here."""
    opened = connect(Settings(data_dir=tmp_path), "http://127.0.0.1")
    opened.dead_letters.purge()
    return opened


@pytest.fixture
def api() -> Iterator[StubApi]:
    """Stand in for the export API."""
    with stub_api() as running:
        yield running


@pytest.fixture
def cli() -> Cli:
    """Run the command line in this process, without a terminal; keyword arguments are environment variables."""

    def run(*arguments: str, **environ: str) -> Result:
        return CliRunner().invoke(make_app(), arguments, env=environ)

    return run


@pytest.fixture
def ask(cli: Cli, api: StubApi) -> Cli:
    """Run a command against the stand-in, with a token."""

    def run(*arguments: str) -> Result:
        return cli(*arguments, MEMBERSHIPS_EXPORT_URL=api.url, MEMBERSHIPS_EXPORT_TOKEN="a.b.c")

    return run
