"""Where numbers go is a matter of the settings, and commands of operators write none."""

from dataclasses import replace
from pathlib import Path

import pytest

from memberships_export.adapters.aws.emf import EmbeddedMetrics
from memberships_export.adapters.embedded.counts import Counts
from memberships_export.bootstrap.backend import connect
from memberships_export.bootstrap.metrics_page import counting, metrics_page
from memberships_export.settings import Settings, SettingsError, read_settings

ON_AWS = {
    "BACKEND": "aws",
    "QUEUE_URL": "https://sqs.example.org/1/membership_exports",
    "TABLE": "table",
    "BUCKET": "bucket",
    "SERVICE_SECRET_ID": "service",
    "LINK_SECRET_ID": "links",
    "AUDIT_SECRET_ID": "audit",
}


def test_without_a_port_nothing_is_counted_and_there_is_no_page(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    ports = counting(settings, connect(settings, None))

    assert (ports.metrics, metrics_page(settings, ports)) == (None, None)


def test_with_a_port_the_processes_of_a_folder_count_together(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", metrics_port=9464)
    ports = counting(settings, connect(settings, None))
    page = metrics_page(settings, ports)

    assert isinstance(ports.metrics, Counts)
    assert page is not None
    page.refresh()
    assert b"memberships_export_store_up 1.0\n" in page("")[0]


def test_a_process_that_serves_on_aws_writes_its_numbers_to_the_log(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    ports = connect(settings, None)
    counted = counting(replace(settings, backend="aws"), ports)

    assert isinstance(counted.metrics, EmbeddedMetrics)
    assert metrics_page(settings, counted) is None


def test_commands_of_operators_write_no_numbers_among_their_answers(tmp_path: Path) -> None:
    assert connect(Settings(data_dir=tmp_path / "data", metrics_port=9464), None).metrics is None


def test_a_port_for_prometheus_is_refused_on_aws() -> None:
    environ = {f"MEMBERSHIPS_EXPORT_{name}": value for name, value in (ON_AWS | {"METRICS_PORT": "9464"}).items()}

    with pytest.raises(SettingsError, match=r"METRICS_PORT is set, but MEMBERSHIPS_EXPORT_BACKEND is aws: unset it"):
        read_settings(environ)


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1"])
def test_what_is_no_port_is_refused(port: str) -> None:
    with pytest.raises(SettingsError, match="MEMBERSHIPS_EXPORT_METRICS_PORT"):
        read_settings({"MEMBERSHIPS_EXPORT_METRICS_PORT": port})
