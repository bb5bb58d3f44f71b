"""Lines that CloudWatch's logs make metrics of, held to the form that AWS describes."""

import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from memberships_export.adapters.aws.emf import EmbeddedMetrics, metric_name, metric_names
from memberships_export.domain.metric import Kind, Metric
from memberships_export.service.metrics import BYTES, CATALOGUE, EXPORT_SECONDS, FINISHED, RETRIES, STAGE_SECONDS

# What AWS says a document must be, as a schema: "Embedded metric format specification".
_NAME = {"type": "string", "minLength": 1, "maxLength": 1024}
SCHEMA = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "additionalProperties": False,
                        "properties": {
                            "Namespace": _NAME,
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {"type": "array", "minItems": 1, "maxItems": 30, "items": _NAME},
                            },
                            "Metrics": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "properties": {
                                        "Name": _NAME,
                                        "Unit": {"enum": ["Seconds", "Bytes", "Count", "None"]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}


def lines_of(metric: Metric, value: float, label: str = "") -> list[dict[str, Any]]:
    written: list[str] = []
    metrics = EmbeddedMetrics(written.append, lambda: 1_800_000_000.25)
    {
        Kind.COUNTER: lambda: metrics.count(metric, label, value),
        Kind.HISTOGRAM: lambda: metrics.observe(metric, value, label),
    }.get(metric.kind, lambda: metrics.set(metric, value, label))()
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in written)
    return [json.loads(line) for line in written]


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_each_line_is_a_document_of_the_embedded_metric_format(metric: Metric) -> None:
    for label in metric.shown:
        (line,) = lines_of(metric, 1.5, label)

        assert [error.message for error in Draft7Validator(SCHEMA).iter_errors(line)] == []
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        named = [one["Name"] for one in directive["Metrics"]] + [
            name for one in directive["Dimensions"] for name in one
        ]
        assert [name for name in named if name not in line] == [], "each name points to a member of the line"
        assert line["_aws"]["Timestamp"] == 1_800_000_000_250


def test_few_values_of_a_label_have_names_of_their_own() -> None:
    (line,) = lines_of(FINISHED, 1, "failed")

    assert (line["FinishedFailed"], line["outcome"]) == (1, "failed")
    assert metric_name(STAGE_SECONDS, "fetch") == "StageSecondsFetch"


def test_many_values_are_one_sum_and_the_line_has_the_value() -> None:
    (line,) = lines_of(RETRIES, 1, "memberships_unavailable")

    assert (line["Retries"], line["cause"]) == (1, "memberships_unavailable")


def test_units_are_those_of_cloudwatch() -> None:
    units = [
        lines_of(metric, 2)[0]["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"]
        for metric in (EXPORT_SECONDS, BYTES, RETRIES)
    ]

    assert units == ["Seconds", "Bytes", "Count"]


def test_all_metrics_together_are_few_because_each_is_paid_for() -> None:
    written = [name for metric in CATALOGUE if metric.kind is not Kind.GAUGE for name in metric_names(metric)]

    assert len(written) == len(set(written)) <= 30


def test_a_stdout_that_nobody_reads_stops_nothing() -> None:
    def broken(_: str) -> None:
        raise BrokenPipeError

    EmbeddedMetrics(broken).count(RETRIES, "other")


def test_a_line_is_written_to_stdout_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    EmbeddedMetrics().count(BYTES, by=7)

    assert json.loads(capsys.readouterr().out)["Bytes"] == 7
