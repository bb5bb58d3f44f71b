"""What `check-api` prints for people: in ASCII, but for what comes from the API or its profile."""

from collections.abc import Iterator

from memberships_export.domain.source.survey.column_survey import ColumnSurvey
from memberships_export.entrypoints.cli.operate.check_api_json import shown
from memberships_export.entrypoints.cli.output import table, visible
from memberships_export.service.operator.api_report import PageFacts, Report

_NAME = 9  # characters of the names on the left
_KILO = 1000
_HEAD = ("name", "path", "type", "filled", "null", "missing", "example")


def as_text(report: Report, owner: str, *, show_values: bool) -> str:
    """Lay out all that was found, then what to mend."""
    lines = [*_facts(report, owner), *_columns(report, show_values=show_values), *_ends(report), *_problems(report)]
    return "\n".join(lines)


def _line(name: str, text: str) -> str:
    return f"{name:<{_NAME}}{text}".rstrip()


def _facts(report: Report, owner: str) -> Iterator[str]:
    profile = report.known.profile
    facts = [
        ("profile", f"{visible(report.known.name)}  version {profile.version}  sha256 {report.known.fingerprint}"),
        ("auth", str(profile.auth.__struct_config__.tag)),
        *(("page 1", _page(page, report.cap)) for page in report.pages[:1]),
    ]
    yield from (_line(name, text) for name, text in facts)
    found = [*_of_rows(report, owner), *_around(report)]
    width = max((len(place) for _, place, _ in found), default=0)
    yield from (_line(name, f"{visible(place):<{width}}  {visible(text)}") for name, place, text in found)
    if len(report.pages) > 1:
        yield _line("page 2", f"{_page(report.pages[1])}; {_again(report.repeated)}")


def _page(page: PageFacts, cap: int | None = None) -> str:
    asked = "no size asked" if page.asked is None else f"{page.asked} rows asked"
    rows = "no rows found" if page.rows is None else f"{page.rows} sent"
    if cap:
        rows += f" (the API caps at {cap}: set size = {cap})"
    size = f"{page.bytes} bytes" if page.bytes < _KILO else f"{page.bytes / _KILO:.0f} kB"
    return f"200, {asked}, {rows}, {size}, {page.milliseconds} ms"


def _again(repeated: int | None) -> str:
    if repeated is None:
        return "its keys could not be compared"
    return f"{repeated} keys of page 1 again" if repeated else "no key of page 1 again"


def _of_rows(report: Report, owner: str) -> Iterator[tuple[str, str, str]]:
    if key := report.key:
        order = "in no order" if key.order == "none" else key.order
        yield "rows", report.known.profile.rows.path or "the page itself", str(key.of)
        yield "key", ", ".join(key.paths), f"{key.distinct} of {key.of} distinct, {order}"
    if owned := report.owner:
        yield "owner", owned.path, f'{owned.own} of {owned.of} are "{owner}"'


def _around(report: Report) -> Iterator[tuple[str, str, str]]:
    if canary := report.canary:
        rows = "" if canary.rows is None else f"{canary.rows} rows: "
        yield "canary", f"user {canary.user_id}", f"{rows}{canary.words}"
    if found := report.filter:
        without = "" if found.rows_without is None else f", {found.rows_without} without it"
        yield "filter", found.chosen, f"{found.rows} rows on page 1{without}: {found.words}"
    if following := report.next:
        there = following.origin or ("there" if following.there else "not on page 1: it is the last one")
        yield "next", following.name, f"{there}{'  same origin' if len(report.pages) > 1 and following.origin else ''}"
    if total := report.total:
        value = "not told" if total.value is None else f"{total.value} {total.unit}"
        yield "total", total.place, f"{value} ({'exact' if total.exact else 'an estimate'})"


def _columns(report: Report, *, show_values: bool) -> Iterator[str]:
    if not report.columns:
        return
    rows = [_cells(column, show_values=show_values) for column in report.columns]
    head, *lines = table(_HEAD, rows).split("\n")
    yield _line("columns", head)
    for column, line in zip(report.columns, lines, strict=True):
        yield _line("      !" if column.mismatches else "", line)
        yield from (_line("", visible(one.text)) for one in column.mismatches)
        if column.unnamed:
            yield _line("", f"{column.unnamed} values are not named by map: they are written as they came")
    if report.unused:
        yield _line("unused", f"{visible(', '.join(report.unused))} (not exported)")


def _cells(column: ColumnSurvey, *, show_values: bool) -> tuple[object, ...]:
    counts = (column.filled, column.null, column.missing)
    return (column.name, column.path, column.type, *counts, _example(column, show_values=show_values))


def _example(column: ColumnSurvey, *, show_values: bool) -> str:
    example = column.example
    if example is None:
        return ""
    came, written = (shown(text, show_values=show_values) for text in (example.came, example.written))
    if column.type == "constant":
        return f"-> {example.written}"
    came = f'"{came}"' if example.is_text else came
    return f"{came} -> {written}" if example.converted else came


def _ends(report: Report) -> Iterator[str]:
    proof = report.proof
    resumes = "starts over when rows move" if proof.moves else "resumes page by page"
    yield _line("proof", f"{proof.grade}, owner {'checked' if proof.owned else 'scoped'}, {resumes}")
    if report.rows_per_second:
        rounded = f"{report.rows_per_second:,}".replace(",", " ")
        yield _line("speed", f"{rounded} rows/s for these columns")
    yield from (_line("note", visible(note)) for note in report.notes)


def _problems(report: Report) -> Iterator[str]:
    told = {one.text for column in report.columns for one in column.mismatches}
    others = [problem for problem in report.problems if problem.text not in told]
    yield from (_line("      !", f"{visible(problem.about)}: {visible(problem.text)}") for problem in others)
    count = len(report.problems)
    abouts = ", ".join(dict.fromkeys(visible(problem.about) for problem in report.problems))
    yield f"{count} problem{'s' if count > 1 else ''}: {abouts}. Exit 1." if count else "No problem."
