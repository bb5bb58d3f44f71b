import pytest

from memberships_export.entrypoints.cli.serve.roles import Child, Roles, all_of, children_of, workers_for

SERVE, API, WORKER = all_of(api=True, worker=True), all_of(api=True, worker=False), all_of(api=False, worker=True)


@pytest.mark.parametrize("command", [SERVE, API, WORKER])
def test_one_process_does_all_where_one_of_each_is_enough(command: Roles) -> None:
    assert children_of(command, workers=1, api_processes=1) == ()


def test_what_a_command_does_not_do_makes_no_processes() -> None:
    assert children_of(API, workers=8, api_processes=1) == ()
    assert children_of(WORKER, workers=1, api_processes=8) == ()


def test_the_service_is_divided_into_processes_that_answer_and_processes_that_work() -> None:
    children = children_of(SERVE, workers=2, api_processes=2)

    assert [child.name for child in children] == ["api-1", "api-2", "worker-1", "worker-2"]
    assert [child.kind for child in children] == ["api", "api", "worker", "worker"]
    assert not any(child.roles.api and child.roles.worker for child in children)


@pytest.mark.parametrize("command, leader", [(SERVE, "api-1"), (API, "api-1"), (WORKER, "worker-1")])
def test_what_is_done_once_is_done_by_the_first(command: Roles, leader: str) -> None:
    children = children_of(command, workers=3, api_processes=2)

    assert [child.name for child in children if child.roles.leads] == [leader]
    assert _names(children, "looks") == ([] if command is API else [leader])
    assert _names(children, "sweeps") == ([] if command is API else ["worker-1"])


def test_all_workers_drain() -> None:
    children = children_of(all_of(api=False, worker=True, drain=True), workers=2, api_processes=1)

    assert _names(children, "drain") == ["worker-1", "worker-2"]


@pytest.mark.parametrize("cores, workers", [(1, 2), (2, 2), (8, 8)])
def test_there_is_a_worker_for_each_core_and_never_one_alone_unless_somebody_says_so(cores: int, workers: int) -> None:
    assert workers_for(cores) == workers


def _names(children: tuple[Child, ...], role: str) -> list[str]:
    return [child.name for child in children if getattr(child.roles, role)]
