"""What PostgreSQL alone is asked: troubles with the server, plans, and memory. The rest is in the contract."""

import re
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, socket

import msgspec
import psycopg
import pytest
from typer.testing import CliRunner

from memberships_api import postgres_statements as sql
from memberships_api.postgres_repository import PostgresMembershipRepository
from memberships_api.repository import DatabaseRefuses, Form, MembershipsUnavailable, PageRequest
from memberships_api.sample import sample_memberships
from memberships_api.staging import Draft
from memberships_export.entrypoints.cli.exits import CommandError
from memberships_export.entrypoints.cli.main import make_app
from memberships_export.entrypoints.cli.serve.memberships_file import memberships_to_serve
from memberships_export.settings import read_settings
from rig.services.postgres_server import PostgresServer

CSV = (
    "id,name,userId,recurringPrice,validFrom,state,billingInterval,billingPeriods\n"
    "1,Gold,user-1,120,2024-01-01,active,month,1\n"
    "2,Silver,user-1,120.50,2024-01-01,active,month,1\n"
)
Import = Callable[[str], tuple[int, str]]


@pytest.fixture
def repository(postgres_url: str) -> Iterator[PostgresMembershipRepository]:
    with closing(PostgresMembershipRepository(postgres_url)) as repository:
        yield repository


@pytest.fixture
def nobody_listens() -> Iterator[int]:
    """Hold a port that refuses connections."""
    with socket(AF_INET, SOCK_STREAM) as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def import_csv(tmp_path: Path) -> Import:
    """Run the command `import` with a database URL; give its exit code and all that it said."""

    def run(database_url: str) -> tuple[int, str]:
        file = tmp_path / "memberships.csv"
        file.write_text(CSV)
        environ = {
            "MEMBERSHIPS_EXPORT_DATA_DIR": str(tmp_path / "data"),
            "MEMBERSHIPS_EXPORT_MEMBERSHIPS_DATABASE_URL": database_url,
        }
        result = CliRunner().invoke(make_app(), ["import", str(file)], env=environ)
        return result.exit_code, result.output

    return run


def drop_connections(url: str) -> None:
    """Do what a restart of the server does to the connections of a process."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'memberships-api'"
        )


def test_an_import_goes_into_the_database_of_the_settings(
    postgres_url: str, import_csv: Import, tmp_path: Path
) -> None:
    assert import_csv(postgres_url) == (0, "2 memberships imported.\n")
    with closing(PostgresMembershipRepository(postgres_url)) as repository:
        items = repository.page(PageRequest("user-1", limit=10)).items
    assert [row["recurringPrice"] for row in msgspec.json.decode(b"[%b]" % items)] == ["120", "120.50"]
    assert not (tmp_path / "data" / "memberships.db").exists()


def test_a_server_that_is_down_is_named_without_its_password(nobody_listens: int, import_csv: Import) -> None:
    exit_code, said = import_csv(f"postgresql://club:hunter2@127.0.0.1:{nobody_listens}/memberships")
    assert exit_code == 1
    assert "The PostgreSQL database memberships on 127.0.0.1 cannot be used (" in said
    assert "refused" in said
    assert "MEMBERSHIPS_EXPORT_MEMBERSHIPS_DATABASE_URL" in said
    assert "hunter2" not in said


def test_an_api_starts_while_its_server_is_down_and_says_so(
    nobody_listens: int, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"postgresql://club:hunter2@127.0.0.1:{nobody_listens}/memberships"
    repository = memberships_to_serve(read_settings({"MEMBERSHIPS_EXPORT_MEMBERSHIPS_DATABASE_URL": url}))
    assert "event=unavailable reason=The PostgreSQL database memberships on 127.0.0.1 cannot be used (" in caplog.text
    assert "MEMBERSHIPS_EXPORT_MEMBERSHIPS_DATABASE_URL" in caplog.text
    assert "hunter2" not in caplog.text
    with pytest.raises(MembershipsUnavailable):
        repository.page(PageRequest("user-1", limit=10))


def test_an_api_serves_a_database_that_is_there(postgres_url: str, repository: PostgresMembershipRepository) -> None:
    repository.add(sample_memberships(3, "user-1"))
    settings = read_settings({"MEMBERSHIPS_EXPORT_MEMBERSHIPS_DATABASE_URL": postgres_url})
    with closing(memberships_to_serve(settings)) as served:
        assert served.page(PageRequest("user-1", limit=10)).snapshot.total == 3


def test_an_api_does_not_start_with_a_url_that_is_none() -> None:
    settings = read_settings({"MEMBERSHIPS_EXPORT_MEMBERSHIPS_DATABASE_URL": "postgresql://club:hunt%er2@db/m"})
    with pytest.raises(CommandError, match=r"is not like postgresql://.*MEMBERSHIPS_DATABASE_URL"):
        memberships_to_serve(settings)


@pytest.mark.parametrize(
    "changes", [{"database": "absent"}, {"user": "mallory"}, {"schema": "no_such_schema"}], ids=str
)
def test_an_api_does_not_start_with_what_its_server_refuses(postgres: PostgresServer, changes: dict[str, str]) -> None:
    settings = read_settings({"MEMBERSHIPS_EXPORT_MEMBERSHIPS_DATABASE_URL": postgres.url(**changes)})
    with pytest.raises(CommandError, match=r"cannot be used.*MEMBERSHIPS_DATABASE_URL"):
        memberships_to_serve(settings)


@pytest.mark.parametrize(
    "said",
    [
        "FATAL:  the database system is starting up",
        "FATAL:  das Datenbanksystem startet",
        "FATAL:  server login has been failing, cached error: connect timeout (server_login_retry)",
        "FATAL:  query_wait_timeout",
        "FATAL:  no more connections allowed (max_client_conn)",
    ],
)
def test_what_a_server_or_a_pooler_says_while_it_cannot_serve_is_no_refusal(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    def refused(**_: object) -> None:
        raise psycopg.OperationalError(said)

    monkeypatch.setattr(psycopg, "connect", refused)
    with pytest.raises(MembershipsUnavailable, match=re.escape(" ".join(said.split()))) as away:
        PostgresMembershipRepository("postgresql://club@127.0.0.1/memberships")
    assert not isinstance(away.value, DatabaseRefuses)


def test_an_api_starts_while_its_server_takes_no_more_connections(
    postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE busy LOGIN CONNECTION LIMIT 0")
    settings = read_settings({"MEMBERSHIPS_EXPORT_MEMBERSHIPS_DATABASE_URL": postgres.url(user="busy")})
    memberships_to_serve(settings)
    assert "too many connections" in caplog.text


@pytest.mark.parametrize(
    "changes,reason", [({"database": "absent"}, '"absent" does not exist'), ({"user": "mallory"}, '"mallory" does')]
)
def test_what_the_server_refuses_is_told_with_its_reason(
    postgres: PostgresServer, changes: dict[str, str], reason: str
) -> None:
    with pytest.raises(MembershipsUnavailable, match="cannot be used") as refused:
        PostgresMembershipRepository(postgres.url(**changes))
    assert reason in str(refused.value)
    assert "a-password" not in str(refused.value)


@pytest.mark.parametrize("password", ["hunt%er2", "hunter2%zz"])
def test_a_url_that_is_not_understood_is_not_quoted(password: str) -> None:
    with pytest.raises(MembershipsUnavailable, match="is not like postgresql://") as refused:
        PostgresMembershipRepository(f"postgresql://club:{password}@127.0.0.1/memberships")
    assert "hunt" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_connections_that_a_restart_cut_are_replaced(
    postgres_url: str, repository: PostgresMembershipRepository
) -> None:
    repository.add(sample_memberships(3, "user-1"))
    drop_connections(postgres_url)
    assert repository.page(PageRequest("user-1", limit=10)).snapshot.total == 3


def test_a_connection_cut_while_rows_are_added_leaves_none_of_them(
    postgres_url: str, repository: PostgresMembershipRepository
) -> None:
    def cut_in_the_middle() -> Iterator[object]:
        yield from sample_memberships(10, "user-1")
        drop_connections(postgres_url)
        yield from sample_memberships(10_000, "user-1", first_id=11)

    with pytest.raises(MembershipsUnavailable, match="cannot be used"):
        repository.add(cut_in_the_middle())  # type: ignore[arg-type]
    assert repository.page(PageRequest("user-1", limit=10)).snapshot.total == 0


def test_a_user_who_may_only_read_and_insert_can_start_on_tables_that_are_there(
    postgres: PostgresServer, postgres_url: str, repository: PostgresMembershipRepository
) -> None:
    schema = postgres_url.rpartition("%3D")[2]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {schema} LOGIN".encode())
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {schema}".encode())
        connection.execute(f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA {schema} TO {schema}".encode())
    with closing(PostgresMembershipRepository(postgres.url(schema, user=schema))) as limited:
        assert limited.add(sample_memberships(3, "user-1")) == 3
        assert limited.cursor_key() == repository.cursor_key()


def test_an_import_does_not_wait_for_ever_for_another_one(
    postgres_url: str, repository: PostgresMembershipRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "WAIT_FOR_OTHER_WRITERS", "SET LOCAL lock_timeout = '10ms'")
    with (
        repository.staged([], [], update=False),
        closing(PostgresMembershipRepository(postgres_url)) as another,
        pytest.raises(MembershipsUnavailable, match="another import, is writing memberships: wait until"),
        another.staged([], [], update=False),
    ):
        raise AssertionError("two imports at once")


def test_an_update_that_this_user_may_not_make_is_told(
    postgres: PostgresServer, postgres_url: str, repository: PostgresMembershipRepository
) -> None:
    repository.add(sample_memberships(1, "user-1"))
    [membership] = sample_memberships(1, "user-1")
    price = format(membership.recurring_price, "f")
    draft = Draft(2, *msgspec.structs.astuple(membership))._replace(recurring_price=price, name="Other")
    schema = postgres_url.rpartition("%3D")[2]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {schema} LOGIN".encode())
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {schema}".encode())
        connection.execute(f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA {schema} TO {schema}".encode())
    with (
        closing(PostgresMembershipRepository(postgres.url(schema, user=schema))) as limited,
        pytest.raises(MembershipsUnavailable, match="permission denied for table memberships"),
        limited.staged([draft], [], update=True) as staging,
    ):
        staging.change()


def test_a_database_where_no_table_may_be_made_is_refused_with_the_reason(postgres: PostgresServer) -> None:
    with pytest.raises(MembershipsUnavailable, match="no schema has been selected to create in"):
        PostgresMembershipRepository(postgres.url("no_such_schema"))


@pytest.mark.parametrize("statistics", ["ANALYZE memberships", "SELECT 'none yet'"])
@pytest.mark.parametrize(
    "statement,index",
    [
        *((sql.page(form, by_state=False), "memberships_by_user") for form in Form),
        *((sql.page(form, by_state=True), "memberships_by_user_and_state") for form in Form),
    ],
)
def test_a_page_of_one_user_among_many_is_read_along_the_user_s_index(
    postgres_url: str, repository: PostgresMembershipRepository, statement: str, index: str, statistics: str
) -> None:
    for number in range(20):
        repository.add(sample_memberships(500, f"user-{number}", first_id=1 + number * 500))
    parameters = {"user_id": "user-7", "state": "active", "after": 0, "bound": 10_000, "limit": 100, "between": ","}
    with psycopg.connect(postgres_url) as connection:
        connection.execute(statistics.encode())
        connection.execute(sql.READ_IN_ORDER_OF_THE_INDEX)
        plan = str(connection.execute(f"EXPLAIN {statement}".encode(), parameters).fetchall())
    assert f"Index Scan using {index} on memberships" in plan
    assert "Sort" not in plan


def test_a_hundred_thousand_rows_are_sent_while_they_are_made(repository: PostgresMembershipRepository) -> None:
    tracemalloc.start()
    try:
        assert repository.add(sample_memberships(100_000, "user-1")) == 100_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000  # all the rows together are more than 30 MB
    assert repository.page(PageRequest("user-1", limit=10_000)).snapshot.total == 100_000
