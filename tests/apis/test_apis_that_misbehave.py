"""Whatever an API does wrong, no wrong, foreign or doubled row is ever mailed, and a walk ends."""

import pytest

from memberships_export.domain.export.record import Export, ExportStatus
from rig.services.apis.every import EVERY
from tests.apis.exports import UNPAGED, Case

PAGED = [name for name in EVERY if name not in UNPAGED]
PAGE_NUMBERS = ["pretix", "paid-memberships-pro", "woocommerce-subscriptions", "hitobito", "jsonapi"]
COUNTING = [*PAGE_NUMBERS, "paddle", "odata", "offset", "sparse", "arrays", "lines", "graphql"]  # rows, exactly
CURSORS = ["chargebee", "recharge", "sparse", "arrays", "graphql"]
LINKS = ["pretix", "paddle", "hitobito", "jsonapi", "odata", "linked-array", "lines"]
PLACES = [*CURSORS, "odata", "linked-array", "lines"]  # that pages name by a text
OAUTH = ["odata", "graphql"]
WALKS = 4  # the first, and three more


def failure_code(case: Case, export: Export) -> str:
    assert export.status is ExportStatus.FAILED, export
    assert case.world.mails == []
    assert export.failure is not None
    return export.failure.code


def walks(case: Case) -> int:
    """How often the first page was asked for."""
    first = next(asked for asked in case.api.calls if asked.path != "/oauth/token")
    return sum(
        (asked.query, asked.body) == (first.query, first.body) for asked in case.api.calls if asked.path == first.path
    )


# --- Rows of others ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("switch", ["filter-ignored", "foreign-row"])
@pytest.mark.parametrize("name", EVERY)
def test_rows_of_others_are_never_mailed(name: str, switch: str) -> None:
    with Case(name, switch) as case:
        assert failure_code(case, case.run_to_the_end()) == "foreign_rows"


@pytest.mark.parametrize("name", ["plain-array", "linked-array"])
def test_where_rows_name_no_owner_an_api_that_filters_has_none_for_nobody(name: str) -> None:
    with Case(name, changed={', owner = "memberId"': ""}) as case:
        assert case.run().status is ExportStatus.COMPLETED
        assert case.mailed() == case.expected()
        assert case.api.user(case.api.calls[0]) != case.user


@pytest.mark.parametrize("name", ["nested-array", "linked-array"])
def test_where_rows_name_no_owner_and_nobody_gets_rows_nothing_is_exported(name: str) -> None:
    owner = {"nested-array": "membership.userId", "linked-array": "memberId"}[name]
    with Case(name, "filter-ignored", changed={f', owner = "{owner}"': ""}) as case:
        assert failure_code(case, case.run()) == "foreign_rows"
        assert len(case.api.calls) == 1


def test_a_number_is_its_digits_and_zeros_in_front_make_another_user() -> None:
    with Case("paid-memberships-pro") as case:
        assert failure_code(case, case.run("042")) == "foreign_rows"


@pytest.mark.parametrize(
    "name, user", [("odata", "4' or '1' eq '1"), ("plain-array", "../43"), ("plain-array", "42/..")]
)
def test_a_user_that_would_change_the_question_is_not_asked_for(name: str, user: str) -> None:
    with Case(name) as case:
        assert failure_code(case, case.run(user)) == "memberships_contract_broken"
        assert not [asked for asked in case.api.calls if asked.path != "/oauth/token"]


# --- Rows that move ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("switch", ["row-deleted", "row-inserted", "row-appended"])
@pytest.mark.parametrize("name", [*PAGE_NUMBERS, "offset", "paddle", "odata"])
def test_where_rows_move_to_other_pages_the_walk_starts_over(name: str, switch: str) -> None:
    with Case(name, switch, rows=8) as case:
        export = case.run()

        assert case.mailed() == case.expected(), "as it is now, and nothing of before"
        assert (walks(case), export.progress.grade) == (2, "counted")


def test_with_offsets_it_is_noticed_too_when_one_row_goes_and_another_comes() -> None:
    with Case("offset", "row-swapped") as case:
        case.run()

        assert case.mailed() == case.expected()
        assert walks(case) == 2


@pytest.mark.parametrize("name", PAGE_NUMBERS)
def test_with_page_numbers_rows_that_move_unseen_make_no_row_wrong_or_double(name: str) -> None:
    with Case(name, "row-swapped") as case:
        before = case.expected()
        case.run()
        mailed, possible = case.mailed(), [*before, *case.expected()]

        assert [row for row in mailed if row not in possible] == []
        assert len({row["id"] for row in mailed}) == len(mailed)


@pytest.mark.parametrize("switch", ["row-deleted", "row-inserted"])
@pytest.mark.parametrize("name", ["stripe", *CURSORS, "linked-array"])
def test_where_pages_begin_behind_a_row_others_may_come_and_go(name: str, switch: str) -> None:
    with Case(name, switch) as case:
        before = case.expected()
        export = case.run()

        assert case.mailed() == before
        assert (walks(case), export.progress.grade) == (1, "ended"), "a total that is another one proves nothing"


@pytest.mark.parametrize("switch", ["row-deleted", "row-swapped"])
def test_where_nobody_can_tell_it_is_said_that_changes_may_be_missing(switch: str) -> None:
    with Case("wordpress-style", switch) as case:
        export = case.run()

        assert export.progress.grade != "counted"
        assert export.progress.began_at is not None
        assert export.progress.moved_until is not None


@pytest.mark.parametrize("name", PAGED)
def test_a_row_that_comes_twice_while_the_total_stays_fails_after_three_more_walks_at_most(name: str) -> None:
    with Case(name, "id-twice") as case:
        assert failure_code(case, case.run_to_the_end()) in {"row_count_mismatch", "memberships_contract_broken"}
        assert walks(case) == (1 if name in {*CURSORS, "stripe"} else WALKS)


# --- Totals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COUNTING)
def test_a_total_that_the_rows_do_not_reach_fails_after_three_more_walks_at_most(name: str) -> None:
    with Case(name, "wrong-total") as case:
        assert failure_code(case, case.run_to_the_end()) == "row_count_mismatch"
        assert walks(case) <= WALKS


@pytest.mark.parametrize("name", ["sparse", "graphql"])
def test_a_total_that_changes_under_a_cursor_proves_nothing(name: str) -> None:
    with Case(name, "total-changes") as case:
        assert case.run().progress.grade == "ended"
        assert case.mailed() == case.expected()


@pytest.mark.parametrize("name", [*COUNTING, "wordpress-style"])
def test_a_total_that_is_missing_although_the_profile_names_it_fails_at_once(name: str) -> None:
    with Case(name, "no-total") as case:
        assert failure_code(case, case.run()) == "memberships_contract_broken"
        assert walks(case) == 1


@pytest.mark.parametrize("switch", ["total-minus-one", "capped-total:5"])
def test_a_total_that_is_no_total_is_none(switch: str) -> None:
    with Case("paddle", switch, changed={"cap = 100001": "cap = 6"}) as case:
        assert case.run().progress.grade == "ended"
        assert case.mailed() == case.expected()


# --- Ways on ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLACES)
def test_places_that_go_in_circles_are_noticed_by_all_that_were_seen(name: str) -> None:
    with Case(name, "cycle") as case:
        assert failure_code(case, case.run()) == "memberships_contract_broken"
        assert case.api.pages == 3


@pytest.mark.parametrize("name", LINKS)
def test_a_page_that_names_itself_as_the_next_one_is_asked_for_twice_at_most(name: str) -> None:
    with Case(name, "next-is-same") as case:
        assert failure_code(case, case.run()) in {"row_count_mismatch", "memberships_contract_broken"}
        assert case.api.pages <= 2 * WALKS


@pytest.mark.parametrize("switch", ["inner-host", "foreign-host"])
@pytest.mark.parametrize("name", LINKS)
def test_a_link_to_another_host_is_not_followed(name: str, switch: str) -> None:
    with Case(name, switch) as case:
        assert failure_code(case, case.run()) == "memberships_contract_broken"
        assert case.api.pages == 1


@pytest.mark.parametrize("name", PLACES)
def test_some_empty_pages_with_another_behind_them_are_no_end(name: str) -> None:
    with Case(name, "empty-pages:3") as case:
        case.run()

        assert case.mailed() == case.expected()


@pytest.mark.parametrize("name", PLACES)
def test_empty_pages_without_end_are_not_followed_for_ever(name: str) -> None:
    with Case(name, "empty-pages:1000") as case:
        assert failure_code(case, case.run()) == "memberships_contract_broken"
        assert case.api.pages == 5


@pytest.mark.parametrize("name", EVERY)
def test_no_rows_may_be_null(name: str) -> None:
    with Case(name, "rows-null", rows=0) as case:
        assert case.run().status is ExportStatus.COMPLETED
        assert case.mailed() == []


@pytest.mark.parametrize("name", [*PLACES, "stripe", "paddle", "offset"])
def test_a_page_with_fewer_rows_than_it_may_have_is_no_end(name: str) -> None:
    with Case(name, "short-pages") as case:
        case.run()

        assert case.mailed() == case.expected()


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("name", PLACES)
def test_a_place_that_the_api_forgot_lets_the_walk_start_over(name: str, times: int) -> None:
    with Case(name, f"place-expires:{times}") as case:
        case.run()

        assert case.mailed() == case.expected()
        assert walks(case) == 1 + times


@pytest.mark.parametrize("name", PLACES)
def test_a_place_that_the_api_forgets_each_time_fails_after_three_more_walks(name: str) -> None:
    with Case(name, "place-expires:1000") as case:
        assert failure_code(case, case.run()) == "memberships_contract_broken"
        assert walks(case) == WALKS


# --- Who asks, and how the API feels ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OAUTH)
def test_a_token_that_dies_on_the_way_is_renewed_once_and_the_walk_goes_on(name: str) -> None:
    with Case(name, "dies-after:1") as case:
        assert case.run().status is ExportStatus.COMPLETED
        assert case.mailed() == case.expected()
        assert sum(asked.path == "/oauth/token" for asked in case.api.calls) == 2
        assert case.api.pages == 3


@pytest.mark.parametrize("name", [name for name in PAGED if name not in OAUTH])
def test_a_key_that_is_refused_on_the_way_is_waited_for_and_no_page_is_asked_for_again(name: str) -> None:
    with Case(name, "dies-after:1") as case:
        waiting = case.run()
        assert waiting.trouble is not None
        assert waiting.trouble.code == "memberships_refused"
        pages = case.api.pages
        case.world.pass_time()

        assert case.mailed() == case.expected()
        assert (pages, walks(case)) == (1, 1)


@pytest.mark.parametrize("step", ["status:429:Retry-After=7", "status:503"])
@pytest.mark.parametrize("name", PAGED)
def test_what_will_pass_is_waited_for_and_no_page_is_asked_for_again(name: str, step: str) -> None:
    script = ["ok", "ok", step] if name in OAUTH else ["ok", step]
    with Case(name, script=script) as case:
        waiting = case.run()
        assert waiting.trouble is not None
        assert waiting.trouble.code == "memberships_unavailable"
        case.world.pass_time()

        assert case.mailed() == case.expected()
        assert walks(case) == 1


def test_errors_with_status_200_are_errors() -> None:
    with Case("graphql", "errors-with-200") as case:
        assert failure_code(case, case.run()) == "memberships_contract_broken"
