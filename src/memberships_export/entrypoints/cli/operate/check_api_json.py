"""What `check-api --json` prints. Its keys stay; new ones may come."""

from dataclasses import asdict
from typing import Any

from memberships_export.domain.source.survey.column_survey import ColumnSurvey, Example
from memberships_export.domain.source.survey.masking import masked, shortened
from memberships_export.service.operator.api_report import FilterFacts, Report


def as_json_value(report: Report, *, show_values: bool) -> dict[str, Any]:
    """Return the report as JSON; what could not be looked at is null."""
    known, profile = report.known, report.known.profile
    return {
        "profile": {"name": known.name, "version": profile.version, "sha256": known.fingerprint},
        "auth": profile.auth.__struct_config__.tag,
        "pages": [asdict(page) for page in report.pages],
        "cap": report.cap,
        "rows": {"path": profile.rows.path},
        "key": report.key and asdict(report.key),
        "owner": report.owner and asdict(report.owner),
        "canary": report.canary
        and {"userId": report.canary.user_id, "rows": report.canary.rows, "words": report.canary.words},
        "filter": report.filter and _filter(report.filter),
        "next": report.next and asdict(report.next),
        "total": report.total and asdict(report.total),
        "repeatedKeys": report.repeated,
        "columns": [_column(column, show_values=show_values) for column in report.columns],
        "unused": list(report.unused),
        "proof": {
            "grade": report.proof.grade.value,
            "owner": "checked" if report.proof.owned else "scoped",
            "rowsCanMove": report.proof.moves,
        },
        "rowsPerSecond": report.rows_per_second,
        "notes": report.notes,
        "problems": [asdict(problem) for problem in report.problems],
    }


def _filter(found: FilterFacts) -> dict[str, Any]:
    return {
        "chosen": found.chosen,
        "rows": found.rows,
        "rowsWithout": found.rows_without,
        "total": found.total,
        "totalWithout": found.total_without,
        "words": found.words,
    }


def _column(column: ColumnSurvey, *, show_values: bool) -> dict[str, Any]:
    return {
        "name": column.name,
        "path": column.path,
        "type": column.type,
        "filled": column.filled,
        "null": column.null,
        "missing": column.missing,
        "unnamed": column.unnamed,
        "example": column.example and _example(column.example, show_values=show_values),
        "fits": not column.mismatches,
    }


def _example(example: Example, *, show_values: bool) -> dict[str, str]:
    return {
        "came": shown(example.came, show_values=show_values),
        "written": shown(example.written, show_values=show_values),
    }


def shown(text: str, *, show_values: bool) -> str:
    """Return a value as people may see it."""
    return shortened(text if show_values else masked(text))
