"""The cost model agrees with the programs it is about, and the page about cost holds what the model says."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bench import facts, prices, quotas
from bench.cost_report import tables
from bench.facts import Load
from bench.prices import Price
from bench.quotas import Quota, bounds, burst_seconds, concurrency_for
from memberships_export.adapters.aws.dynamodb_item import WAKE_PARTITIONS
from memberships_export.domain.export.record import Export
from memberships_export.domain.export.sweeping import SweepAction
from memberships_export.entrypoints.aws_lambda.functions import VISITS_AT_ONCE
from tests.fakes.memory import MemoryStore
from tests.fakes.world import World

ROOT = Path(__file__).parents[2]
DOC = ROOT / "docs" / "scaling-and-cost.md"
FIGURES: list[Price | Quota] = [*prices.PRICES, *quotas.QUOTAS]


# --- The page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", tables())
def test_the_page_about_cost_holds_the_tables_of_the_model(title: str) -> None:
    table = tables()[title]

    assert f"\n\n{table}\n" in DOC.read_text(encoding="utf-8"), (
        f"docs/scaling-and-cost.md does not hold the table {title!r} of `python -m bench.cost`. "
        f"Put it there, or what you find there into the model:\n\n{table}\n"
    )


def test_the_page_about_cost_holds_no_other_tables() -> None:
    heads = re.findall(r"^(\|.*\|)\n\| --- ", DOC.read_text(encoding="utf-8"), re.MULTILINE)

    known = {table.splitlines()[0] for table in tables().values()}
    assert [head for head in heads if head not in known] == [], "a table that the model does not print can drift"


# --- What binds -------------------------------------------------------------------------------------------------------


def test_the_busiest_minutes_are_the_average_times_the_peak() -> None:
    assert Load(exports=2_628_000).average == pytest.approx(1)
    assert Load(exports=2_628_000, peak=4).busiest == pytest.approx(4)


def test_what_binds_first_stands_first() -> None:
    carried = [bound.carries for bound in bounds(run_seconds=1)]

    assert carried == sorted(carried)
    assert len(carried) == len(quotas.QUOTAS) + 3


def test_the_index_of_wake_times_carries_the_writes_of_all_its_partitions() -> None:
    (index,) = (bound for bound in bounds(run_seconds=1) if "`by-wake`" in bound.name)

    assert index.carries == pytest.approx(len(WAKE_PARTITIONS) * 1_000 / 12)


def test_the_sweeper_carries_what_it_visits_and_what_its_processor_can() -> None:
    (sweeper,) = (bound for bound in bounds(run_seconds=1) if "sweeper's visits" in bound.name)
    (processor,) = (bound for bound in bounds(run_seconds=1) if "sweeper's processor" in bound.name)

    assert sweeper.carries * facts.VISITS * facts.VISIT_SECONDS == pytest.approx(VISITS_AT_ONCE)
    assert processor.carries * facts.VISITS * facts.VISIT_PROCESSOR == pytest.approx(facts.PROCESSOR)


def test_the_sweeper_takes_more_than_one_batch_in_a_pass_each_as_large_as_the_model_says() -> None:
    world = World()
    world.store = Asked()
    world.services = world.over(world.ports)
    for number in range(2 * facts.SWEEP_BATCH + 1):
        world.request(f"user-{number}")
    world.clock.advance(timedelta(minutes=1))

    assert sum(world.services.sweep().values()) == 2 * facts.SWEEP_BATCH + 1
    assert world.store.limits == [facts.SWEEP_BATCH] * 3


class Asked(MemoryStore):
    """Notes for how many records it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: list[int] = []

    def due(self, now: datetime, limit: int) -> Sequence[Export]:
        self.limits.append(limit)
        return super().due(now, limit)


def test_the_sweeper_visits_an_export_as_often_as_the_model_says() -> None:
    world = World()
    world.request()
    world.work()

    visits = [sum(taken.values()) for taken in passes(world, days=31)]
    assert sum(visits) == facts.VISITS
    assert world.store.records == {}


def passes(world: World, days: int) -> Iterator[Mapping[SweepAction, int]]:
    for _ in range(days):
        world.clock.advance(timedelta(days=1))
        yield world.services.sweep()


def test_the_model_knows_the_concurrency_of_a_deployment_that_changes_nothing() -> None:
    context = json.loads((ROOT / "infra" / "cdk.json").read_text(encoding="utf-8"))["context"]

    assert int(context["concurrency"]) == quotas.CONCURRENCY


@pytest.mark.parametrize(
    "pages, seconds, concurrency", [(50, 0.2, 10), (50, 0.25, 12), (1, 0.1, 2), (100_000, 1, 1_000)]
)
def test_the_concurrency_is_what_the_memberships_api_bears_within_what_lambda_accepts(
    pages: float, seconds: float, concurrency: int
) -> None:
    assert concurrency_for(pages, seconds) == concurrency


def test_a_burst_takes_the_time_of_its_exports_shared_by_those_that_run_at_once() -> None:
    assert burst_seconds(600, concurrency=10, run_seconds=2) == 120


# --- Where the figures come from --------------------------------------------------------------------------------------


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_every_figure_names_the_page_and_its_date(figure: Price | Quota) -> None:
    assert re.fullmatch(r"https://\S+", figure.source)
    assert re.fullmatch(r"20\d\d-\d\d-\d\d|undated", figure.dated)


def test_every_figure_is_in_the_tables() -> None:
    made = [value for module in (prices, quotas) for value in vars(module).values() if isinstance(value, Price | Quota)]

    assert {figure.name for figure in made} == {figure.name for figure in FIGURES}
