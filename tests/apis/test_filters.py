"""An export that is narrowed by a filter: the API is asked for it on each page, by each way of paging."""

import json
from dataclasses import replace
from io import BytesIO

import pytest
from openpyxl import load_workbook

from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.formats.options import FilterValue, Format, Options, Preset, of_preset
from tests.apis.expected import read
from tests.apis.exports import Case
from tests.fakes.world import attachment

PARAMS = {
    "jsonapi": "filter[state]",
    "linked-array": "state",
    "plain-array": "state",
    "wordpress-style": "status",
    "recharge": "status",
    "graphql": "variables.where.state",
}
STATE = '\n[filters.status]\nparam = "{}"\nvalues = {{ active = "active", ended = "{}" }}\n'
DECLARED = {name: STATE.format(param, "cancelled" if name == "recharge" else "ended") for name, param in PARAMS.items()}
DECLARED["offset"] = '\n[filters.status]\nparam = "status"\nvalues = { active = "1", ended = "3" }\n'
SHIPPED = {"stripe": "canceled", "chargebee": "cancelled"}  # what they call ended
EVERY = [*DECLARED, *SHIPPED]
BESIDE_NO_CURSOR = {'first_page_only = ["customer_id"]': 'first_page_only = ["customer_id", "status"]'}


class Narrowed(Case):
    """A case whose profile declares a filter, and an export with it."""

    def __init__(
        self, name: str, *switches: str, rows: int = 12, value: str = "ended", changed: dict[str, str] | None = None
    ) -> None:
        beside = BESIDE_NO_CURSOR if name == "recharge" else {}
        cap = None if name == "plain-array" else 2
        super().__init__(
            name, *switches, rows=rows, cap=cap, changed=beside | (changed or {}), more=DECLARED.get(name, "")
        )
        self.state = value
        self.value = SHIPPED.get(name, value) if value == "ended" else value

    @property
    def options(self) -> Options:
        """A raw file of these rows."""
        return replace(of_preset(Preset.RAW), filters=(FilterValue("status", self.value),))

    def run(self, user: str = "") -> Export:
        export = self.world.request(user or self.user, self.options)
        self.world.work()
        return self.world.export(export)

    def wanted(self) -> list[dict[str, str]]:
        """What the file must hold."""
        states = [held.state for held in self.held()]
        return [row for row, state in zip(self.expected(), states, strict=True) if state == self.state]


@pytest.mark.parametrize("value", ["active", "ended"])
@pytest.mark.parametrize("name", EVERY)
def test_the_file_holds_the_rows_of_the_filter_and_no_others(name: str, value: str) -> None:
    with Narrowed(name, value=value) as case:
        export = case.run()

        assert export.status is ExportStatus.COMPLETED, export
        assert case.mailed() == case.wanted()
        assert 0 < len(case.wanted()) < 12


@pytest.mark.parametrize("name", EVERY)
def test_a_filter_that_no_row_passes_gives_an_empty_file(name: str) -> None:
    with Narrowed(name, rows=0) as case:
        assert case.run().status is ExportStatus.COMPLETED
        assert case.mailed() == []


@pytest.mark.parametrize("name", sorted(set(EVERY) - {"recharge"}))
def test_every_page_is_asked_for_with_the_filter(name: str) -> None:
    with Narrowed(name) as case:
        case.run()

        pages = [call for call in case.api.calls if call.path != "/oauth/token"]
        assert len(pages) > 1 or name == "plain-array"
        if name == "graphql":
            assert [call.json["variables"]["where"] for call in pages] == [{"state": "ended"}] * len(pages)
            return
        param = {"stripe": "status", "chargebee": "status[is]", "offset": "status"}.get(name) or PARAMS[name]
        sent = {"offset": "3"} | SHIPPED
        assert [call.query.get(param) for call in pages] == [sent.get(name, "ended")] * len(pages)


def test_beside_a_cursor_no_filter_goes_that_first_page_only_names() -> None:
    with Narrowed("recharge") as case:
        case.run()

        assert [call.query.get("status") for call in case.api.calls] == ["cancelled", None]


@pytest.mark.parametrize("name", ["jsonapi", "linked-array"])
def test_a_link_that_forgets_the_filter_is_not_followed(name: str) -> None:
    with Narrowed(name, "state-forgotten") as case:
        export = case.run()

        assert export.status is ExportStatus.FAILED
        assert export.failure is not None
        assert "link to the next page without the filter" in export.failure.reason
        assert "first_page_only" in export.failure.reason
        assert len(case.api.calls) == 1


def test_a_link_that_holds_the_filter_in_another_form_is_followed_where_the_profile_says_so() -> None:
    said = {'params = { member = "{user.id}" }': 'params = { member = "{user.id}" }, first_page_only = ["state"]'}
    with Narrowed("linked-array", "state-forgotten", changed=said) as case:
        export = case.run()

        assert export.status is ExportStatus.COMPLETED
        assert [call.query.get("state") for call in case.api.calls] == ["ended", *[None] * (len(case.api.calls) - 1)]


@pytest.mark.parametrize("name", ["jsonapi", "offset", "graphql"])
def test_a_total_of_all_rows_fails_an_export_with_a_filter(name: str) -> None:
    with Narrowed(name, "state-counted-not") as case:
        export = case.run()

        assert export.failure is not None
        assert export.failure.code == "row_count_mismatch"


@pytest.mark.parametrize("name", sorted(set(EVERY) - {"plain-array"}))
def test_whoever_takes_over_after_each_page_asks_for_the_same(name: str) -> None:
    with Narrowed(name, rows=18) as case:
        export = case.world.request(case.user, case.options)
        for _ in range(2):
            case.world.work_once(should_stop=iter([False, True]).__next__)
        assert case.world.export(export).progress.pages == 2
        case.world.work()

        assert case.world.export(export).status is ExportStatus.COMPLETED
        assert case.mailed() == case.wanted()


def test_a_redrive_asks_for_the_same() -> None:
    with Narrowed("stripe", "foreign-row", rows=18) as case:
        export = case.run()
        assert export.status is ExportStatus.FAILED
        case.api.calls.clear()
        case.api.on.off("foreign-row")
        desk = case.world.services.redrive
        assert len(list(desk.redrive(desk.letters(), dry_run=False))) == 1
        case.world.work()

        assert {call.query.get("status") for call in case.api.calls} == {"canceled"}
        assert [row["state"] for row in read(attachment(case.world.mails[-1]))] == ["canceled"] * 6


def test_mail_and_workbook_say_which_filter_was_chosen() -> None:
    with Narrowed("stripe", rows=9) as case:
        options = Options(format=Format.XLSX, filters=(FilterValue("status", "canceled"),))
        export = case.world.request(case.user, options)
        case.world.work()
        assert case.world.export(export).status is ExportStatus.COMPLETED
        (mail,) = case.world.mails
        about = load_workbook(BytesIO(attachment(mail)), read_only=True)["About"]

        assert "status: canceled" in mail.text
        assert ("Filter: status", "canceled") in [row[:2] for row in about.values]


def test_values_are_quoted_for_where_they_stand() -> None:
    odd = {"values = { active": 'values = { odd = "a&b=c d", active'}
    declared = DECLARED["linked-array"].replace("values = { active", odd["values = { active"])
    with Narrowed("linked-array") as case:
        case.use(case.text.replace(DECLARED["linked-array"], declared))
        case.value = "odd"
        case.run()

        assert case.api.calls[0].query["state"] == "a&b=c d"


def test_a_post_sends_a_value_of_json() -> None:
    with Narrowed("graphql") as case:
        case.run()

        asked = json.loads(next(call for call in case.api.calls if call.path != "/oauth/token").body)
        assert asked["variables"] == {"member": "42", "first": case.world.policy.page_size, "where": {"state": "ended"}}
