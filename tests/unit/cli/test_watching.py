from io import StringIO

import pytest
from rich.console import Console

from memberships_export.entrypoints.cli.ask.watching import answers, bars, follow, lines
from tests.unit.cli.stub_api import a_completed_answer, an_answer


def test_it_reads_until_the_export_has_ended_and_pauses_in_between() -> None:
    prepared = [an_answer(status="queued"), an_answer(), a_completed_answer(), an_answer()]
    pauses: list[float] = []
    seen = list(answers(lambda: prepared.pop(0), seconds=0.5, sleep=pauses.append))
    assert [answer["status"] for answer in seen] == ["queued", "running", "completed"]
    assert pauses == [0.5, 0.5]


def test_lines_are_printed_only_when_something_changed(capsys: pytest.CaptureFixture[str]) -> None:
    nearly = an_answer(progress={"rows": 410, "total": 2000, "percent": 20})
    follow([an_answer(), an_answer(), nearly, a_completed_answer()], lines())
    assert capsys.readouterr().out.splitlines() == ["running at fetch, 400 of 2,000 rows fetched", "completed"]


def test_a_line_tells_what_a_waiting_export_waits_for(capsys: pytest.CaptureFixture[str]) -> None:
    trouble = {"code": "memberships_unavailable", "reason": "It does not answer.", "stage": "fetch"}
    follow([an_answer(status="waiting", trouble=trouble)], lines())
    assert "waiting at fetch" in (out := capsys.readouterr().out)
    assert "It does not answer." in out


def test_an_unknown_total_is_not_made_up(capsys: pytest.CaptureFixture[str]) -> None:
    follow([an_answer(progress={"rows": 400, "total": None, "percent": None})], lines())
    assert capsys.readouterr().out == "running at fetch, 400 rows fetched\n"


@pytest.mark.parametrize("total", [2000, None, 0])
def test_bars_show_all_stages_and_end_full(total: int | None) -> None:
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    running = an_answer(progress={"rows": 400, "total": total, "percent": None})
    last = follow([running, an_answer(stage="render"), an_answer(stage="deliver"), a_completed_answer()], bars(console))
    assert last["status"] == "completed"
    final = screen.getvalue().splitlines()[-4:]
    assert [name for name in ("fetch", "render", "deliver") if any(name in line for line in final)] == [
        "fetch",
        "render",
        "deliver",
    ]
    assert "2,000 of 2,000 rows" in "".join(final)


def test_a_bar_shows_what_comes_from_outside_as_text_not_as_markup() -> None:
    screen = StringIO()
    trouble = {"code": "x", "reason": "[red]down[/red]", "stage": "fetch"}
    console = Console(file=screen, force_terminal=True, width=200)
    follow([an_answer(status="waiting", trouble=trouble)], bars(console))
    assert "[red]down[/red]" in screen.getvalue()
