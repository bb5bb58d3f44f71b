"""A whole run, with all that takes time replaced by what it would give."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench import __main__ as program
from tests.unit.test_bench_report import lines_with, measured

Run = Callable[..., str]


@pytest.fixture
def asked() -> dict[str, tuple[Any, ...]]:
    """What each measurement was asked for."""
    return {}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: dict[str, tuple[Any, ...]]) -> Run:
    """Run it with these arguments; return the page."""
    for name in [name for name in dir(program) if name.startswith("measure_")]:
        subject = name.removeprefix("measure_")
        field = {"exports": "sizes", "small_parts": "parts"}.get(subject, subject)

        def measure(*arguments: Any, field: str = field, **more: Any) -> Any:  # noqa: ANN401
            asked[field] = (*arguments[1:], *more.values())
            return getattr(measured(), field)

        monkeypatch.setattr(program, name, measure)

    def running(*arguments: str) -> str:
        out = tmp_path / "page.md"
        monkeypatch.setattr("sys.argv", ["bench", "--out", str(out), "--folder", str(tmp_path), *arguments])
        program.main()
        return out.read_text(encoding="utf-8")

    return running


def test_a_run_writes_all_that_was_measured_with_the_load_of_each(run: Run) -> None:
    page = run()

    assert "not measured" not in page
    figures = page.partition("## Figures beside others")[2].partition("\n## ")[0]
    assert [line for line in lines_with("| met |", figures) if " to " not in line.split("|")[4]] == []


def test_the_longest_export_has_three_times_the_rows_of_the_largest_size(run: Run, asked: dict[str, Any]) -> None:
    run()
    assert asked["whole"] == ((10_000, 100_000, 1_000_000), 3_000_000, 3)

    run("--sizes", "1000,2000", "--repeat", "1", "--no-longest")
    assert asked["whole"] == ((1000, 2000), None, 1)


def test_a_quick_run_makes_a_tenth_of_the_small_exports(run: Run, asked: dict[str, Any]) -> None:
    run("--quick")

    assert asked["backlog"] == (100, 3)
    assert asked["accepting"] == (200,)


@pytest.mark.parametrize("sizes", ["2000,1000", "1000,1000", "0", "many"])
def test_sizes_that_do_not_rise_are_refused(run: Run, sizes: str) -> None:
    with pytest.raises(SystemExit):
        run("--sizes", sizes)
