"""The table of the docs, the dashboard and the alert rules are held to the catalogue."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from memberships_export.domain.metric import OTHER, Kind, Metric
from memberships_export.service.metrics import CATALOGUE

DOCS = Path(__file__).parents[2] / "docs"
RULES, RULE_TESTS = DOCS / "prometheus" / "alerts.yml", DOCS / "prometheus" / "alerts.test.yml"
DASHBOARD = DOCS / "grafana" / "memberships-export.json"
_SUFFIXES = {Kind.COUNTER: ("",), Kind.GAUGE: ("",), Kind.HISTOGRAM: ("_bucket", "_sum", "_count")}
SERIES = {f"memberships_export_{one.name}{end}": one for one in CATALOGUE for end in _SUFFIXES[one.kind]}
NEEDS_PROMTOOL = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed. On Debian: apt-get install prometheus"
)


def row(metric: Metric) -> str:
    values = ", ".join(f"`{value}`" for value in metric.values)
    label = f"{metric.label}: {values}" if metric.label else ""
    cells = (f"`{metric.name}`", metric.kind.value, metric.unit, label, metric.meaning, metric.alarm)
    return f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |")


def table() -> str:
    head = "| name | kind | unit | label | meaning | alarm |\n|---|---|---|---|---|---|"
    return "\n".join([head, *map(row, CATALOGUE)])


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def expressions_of(found: object) -> list[str]:
    """Return every expression of a dashboard, however deep it lies."""
    if isinstance(found, dict):
        here = [found["expr"]] if isinstance(found.get("expr"), str) else []
        return here + [one for value in found.values() for one in expressions_of(value)]
    return [one for value in found for one in expressions_of(value)] if isinstance(found, list) else []


def expressions() -> list[str]:
    return [*expressions_of(json.loads(DASHBOARD.read_text("utf-8"))), *(rule["expr"] for rule in rules())]


def test_the_table_of_the_docs_is_the_catalogue() -> None:
    text = (DOCS / "metrics.md").read_text("utf-8")

    assert table() in text, f"docs/metrics.md differs from service/metrics.py. Put this table there:\n\n{table()}\n"


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_names_only_series_labels_and_values_of_the_catalogue(expression: str) -> None:
    for name, matchers in re.findall(r"(memberships_export_\w+)(?:\{([^}]*)\})?", expression):
        assert name in SERIES, f"{name} is not in the catalogue"
        for label, values in re.findall(r'(\w+)=~?"([^"]*)"', matchers):
            assert label == SERIES[name].label
            assert set(values.split("|")) <= {*SERIES[name].values, OTHER}


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_groups_only_by_labels_that_there_are(expression: str) -> None:
    labels = {"le", *(metric.label for metric in CATALOGUE)}

    assert {label for by in re.findall(r"by \(([^)]*)\)", expression) for label in by.split(", ")} <= labels


def test_every_metric_is_on_the_dashboard() -> None:
    text = " ".join(expressions_of(json.loads(DASHBOARD.read_text("utf-8"))))

    assert [metric.name for metric in CATALOGUE if f"memberships_export_{metric.name}" not in text] == []


def test_every_panel_has_a_title_and_a_place_of_its_own() -> None:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]

    assert len(set(places)) == len(places) == len({panel["id"] for panel in panels})
    assert all(panel["title"] and panel["targets"] for panel in panels)


def test_every_alarm_of_the_catalogue_has_a_rule_about_that_metric() -> None:
    found = {rule["alert"]: rule["expr"] for rule in rules()}

    wrong = [
        metric.name
        for metric in CATALOGUE
        if metric.alarm and f"memberships_export_{metric.name}" not in found.get(metric.alarm, "")
    ]
    assert wrong == [], "docs/prometheus/alerts.yml: a rule of this name about this metric"
    assert set(found) - {metric.alarm for metric in CATALOGUE} == {"MetricsAbsent"}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_rule_says_what_is_wrong_and_where_to_read_on(rule: dict[str, Any]) -> None:
    path, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (DOCS.parent / path).read_text("utf-8"), re.MULTILINE)

    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_rule_is_shown_to_be_quiet_and_to_ring() -> None:
    quiet, bad, *days = yaml.safe_load(RULE_TESTS.read_text("utf-8"))["tests"]

    assert {one["alertname"] for one in quiet["alert_rule_test"]} == {rule["alert"] for rule in rules()}
    alone = {"MetricsAbsent", "Paused"}  # what they are about keeps others quiet: each has a day of its own
    assert bad["promql_expr_test"][0]["exp_samples"][0]["value"] == len(rules()) - len(alone)
    assert all(any(name in str(day["promql_expr_test"]) for day in days) for name in alone)


@NEEDS_PROMTOOL
@pytest.mark.parametrize("arguments", [("check", "rules", str(RULES)), ("test", "rules", str(RULE_TESTS))])
def test_prometheus_takes_the_rules_and_rings_as_they_say(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)  # noqa: S607

    assert done.returncode == 0, done.stdout + done.stderr
