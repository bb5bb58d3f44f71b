"""The API's JSON about an export, put into words."""

from collections.abc import Mapping, Sequence
from typing import Any

from memberships_export.domain.export.record import TERMINAL, ExportStatus
from memberships_export.domain.export.timeline_words import in_words
from memberships_export.domain.formats.options import Format, Options, Preset, of_preset
from memberships_export.entrypoints.cli.output import table, visible

Answer = Mapping[str, Any]


def has_ended(answer: Answer) -> bool:
    """Tell whether the export will not change any more by itself."""
    return answer.get("status") in TERMINAL


def has_completed(answer: Answer) -> bool:
    """Tell whether the mail was accepted."""
    return answer.get("status") == ExportStatus.COMPLETED


def rows_fetched(answer: Answer) -> tuple[int, int | None]:
    """Return how many rows are fetched, and of how many, if that is known."""
    progress = answer.get("progress") or {}
    return progress.get("rows") or 0, progress.get("total")


def in_a_line(answer: Answer) -> str:
    """Say where the export is."""
    status, stage = answer.get("status"), answer.get("stage")
    if has_ended(answer) or status == ExportStatus.QUEUED:
        return visible(status)
    rows, total = rows_fetched(answer)
    of_total = f" of {total:,}" if total is not None else ""
    return f"{visible(status)} at {visible(stage)}, {rows:,}{of_total} rows fetched{_reason(answer)}"


def in_full(answer: Answer) -> str:
    """Say all that the API tells, one fact per line."""
    return "\n".join(f"{name + ':':<12} {visible(value)}" for name, value in _facts(answer) if value is not None)


def timeline_of(answer: Answer) -> str:
    """Say what happened, one line for each thing, the oldest first."""
    happened = [
        (entry.get("at"), in_words(str(entry.get("what")), str(entry.get("detail") or "")))
        for entry in answer.get("timeline") or []
    ]
    return "\n".join(
        f"{visible(at)}  {visible(text)}" for at, text in [(answer.get("requestedAt"), "requested"), *happened]
    )


def as_table(answers: Sequence[Answer]) -> str:
    """One export per line, newest first, as the API sends them."""
    columns = ("EXPORT ID", "STATUS", "ROWS", "REQUESTED AT", "FILE", "CHOSEN")
    return table(columns, [_row(answer) for answer in answers])


def _row(answer: Answer) -> Sequence[object]:
    file = answer.get("file") or {}
    rows = rows_fetched(answer)[0]
    known = (answer.get("exportId"), answer.get("status"), rows, answer.get("requestedAt"))
    return (*known, file.get("name"), chosen_in_short(answer))


def _facts(answer: Answer) -> list[tuple[str, object]]:
    file = answer.get("file") or {}
    return [
        ("export", answer.get("exportId")),
        ("status", f"{in_a_line(answer)} ({answer.get('statusText')})"),
        ("chosen", chosen_in_short(answer)),
        ("requested", answer.get("requestedAt")),
        ("next try", answer.get("nextAttemptAt")),
        ("finished", answer.get("finishedAt")),
        ("attempts", answer.get("attempts")),
        ("file", file.get("name")),
        ("rows", file.get("rows")),
        ("complete", _completeness(answer)),
        ("bytes", file.get("bytes")),
        ("sha256", file.get("sha256")),
        ("expires", file.get("expiresAt")),
        ("mailed to", answer.get("email") if answer.get("delivery") else None),
        ("delivery", (answer.get("delivery") or {}).get("status")),
        ("reason", _reason(answer).removeprefix(": ") or None),
    ]


def chosen_in_short(answer: Answer) -> str | None:
    """Say what about the file is not as in a plain export; None where all of it is."""
    chosen = answer.get("options") or {}
    usual = _preset_of(chosen)
    plain = {"format": Format.CSV, "preset": Preset.SPREADSHEET, "language": usual.language, "timeZone": "UTC"}
    said = [str(chosen[name]) for name, value in plain.items() if (chosen.get(name) or value) != value]
    said += [f"{name}:{value}" for name, value in (chosen.get("filters") or {}).items()]
    columns = ["columns " + ",".join(map(str, chosen["columns"]))] if chosen.get("columns") else []
    return " ".join([*said, *_of_csv(chosen), *columns]) or None


def _preset_of(chosen: Mapping[str, Any]) -> Options:
    preset = str(chosen.get("preset"))
    return of_preset(Preset(preset)) if preset in set(Preset) else Options()


def _of_csv(chosen: Mapping[str, Any]) -> Sequence[str]:
    """Name what differs from the preset."""
    if chosen.get("format") != Format.CSV:
        return []
    usual = _preset_of(chosen)
    signs = {"delimiter": usual.delimiter, "decimal": usual.decimal}
    switches = {"bom": usual.bom, "guard": usual.guard}
    return [
        *(f"{name} {chosen[name]}" for name, value in signs.items() if (chosen.get(name) or value) != value),
        *(name if chosen[name] else f"no {name}" for name, on in switches.items() if chosen.get(name, on) != on),
    ]


def _completeness(answer: Answer) -> str | None:
    known = answer.get("completeness") or {}
    return f"{known.get('grade')}: {known.get('text')}" if known else None


def _reason(answer: Answer) -> str:
    error = answer.get("error") or answer.get("trouble") or {}
    return f": {visible(error.get('reason') or error.get('code'))}" if error else ""
