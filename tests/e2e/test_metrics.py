"""`/metrics` of real processes, scraped while they are killed."""

import socket
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rig.loopback import free_port
from tests.e2e.command_line import environ_of, run, running


def scraped(port: int) -> dict[tuple[str, str], float]:
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            text = answer.read().decode()
    except OSError:  # whoever answered has just died
        return {}
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_when_the_process_that_answers_is_killed_another_answers_for_both(tmp_path: Path) -> None:
    port = free_port()
    environ = environ_of(tmp_path / "data", port=str(free_port()), metrics_port=str(port), workers="1")
    with running(environ, tmp_path, "api") as api, running(environ, tmp_path, "worker") as worker:
        user = api.as_user("user-1", "member@example.org")
        user.ask("request")
        completed = ("memberships_export_finished_total", "completed")
        worker.until(lambda: scraped(port).get(completed) == 1, "the export to complete, as /metrics says")

        api.process.kill()
        found = worker.until(lambda: scraped(port), "the worker to answer")

        assert found[completed] == 1
        assert found["memberships_export_accepted_total", ""] == 1, "the process that counted it is dead"
        assert found["memberships_export_store_up", ""] == 1
        assert found["memberships_export_unfinished_exports", "queued"] == 0
        assert len(list((tmp_path / "data" / "metrics").glob("*.counts"))) == 1


def test_metrics_are_not_among_the_routes_of_users_and_off_unless_a_port_is_set(tmp_path: Path) -> None:
    with running(environ_of(tmp_path / "data"), tmp_path) as service:
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{service.url}/metrics", timeout=30)  # noqa: S310  (of the service just started)
        assert not (tmp_path / "data" / "metrics").exists()


def test_a_port_that_another_program_has_is_told_at_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        done = run(environ_of(tmp_path / "data", metrics_port=taken), "serve")

    assert done.returncode == 1
    assert f"Cannot listen on 127.0.0.1 port {taken} for /metrics" in done.stderr
