"""What must fit together in a profile whose keys are right one by one: how pages are walked, and their total."""

from collections.abc import Iterator

from memberships_export.domain.source.profile import LastKey, Offset, PageNumber, Profile, Total
from memberships_export.domain.source.profile_file.column_rules import broken_by_columns
from memberships_export.domain.source.profile_file.encoding_rules import broken_by_encoding
from memberships_export.domain.source.profile_file.filter_rules import broken_by_filters
from memberships_export.domain.source.profile_file.lookup_rules import broken_by_lookup
from memberships_export.domain.source.profile_file.path_rules import broken_by_paths
from memberships_export.domain.source.profile_file.places import Broken, Place
from memberships_export.domain.source.profile_file.request_rules import broken_by_request

_TOTAL: Place = ("total",)


def broken_rules(profile: Profile) -> Iterator[Broken]:
    """Find what is wrong although each key alone is right."""
    yield from broken_by_request(profile)
    yield from broken_by_lookup(profile)
    yield from _broken_by_rows(profile)
    yield from broken_by_encoding(profile)
    if profile.total is not None:
        yield from _broken_by_total(profile, profile.total)
    yield from broken_by_columns(profile)
    yield from broken_by_filters(profile)
    yield from broken_by_paths(profile)


def _broken_by_rows(profile: Profile) -> Iterator[Broken]:
    paginator, rows, style = profile.paginator, profile.rows, ("paginator", "type")
    if isinstance(paginator, Offset | PageNumber) and rows.order == "none":
        why = f"{paginator.__struct_config__.tag} loses rows when they have no order"
        text = f'must be "rising" or "falling": {why}; ask the API to sort by the key'
        yield Broken(("rows", "order"), text, (style,))
    if isinstance(paginator, Offset) and paginator.size == 1:
        yield Broken(("paginator", "size"), "must be 2 or more: offset asks for one row again", (style,))
    if isinstance(paginator, LastKey) and len(rows.key) > 1:
        yield Broken(("rows", "key"), "must be one path: last_key asks for the rows after one key", (style,))
    if len(set(rows.key)) < len(rows.key):
        yield Broken(("rows", "key"), "names one path twice: remove one")
    if isinstance(paginator, Offset | PageNumber) and paginator.short_page_is_last:
        yield from _broken_by_short_page(paginator)


def _broken_by_short_page(paginator: Offset | PageNumber) -> Iterator[Broken]:
    if paginator.has_more_path is not None:
        text = "does not go with has_more_path, which says for sure what is the last page: remove it"
        yield Broken(("paginator", "short_page_is_last"), text, (("paginator", "has_more_path"),))
    elif paginator.size is None and paginator.size_param is None:
        text = "needs size, or size_param: without them nobody knows what a full page is"
        yield Broken(("paginator", "short_page_is_last"), text, (("paginator", "size"), ("paginator", "size_param")))


def _broken_by_total(profile: Profile, total: Total) -> Iterator[Broken]:
    both = ((*_TOTAL, "path"), (*_TOTAL, "header"), (*_TOTAL, "from"))
    if text := _source_problem(total):
        yield Broken(_TOTAL, text, both)
    if total.cap is not None and total.cap <= 0:
        yield Broken((*_TOTAL, "cap"), f"must be more than 0; it is {total.cap}")
    if total.unit == "pages" and not isinstance(profile.paginator, PageNumber):
        text = 'may be "pages" with the paginator page_number only: others count no pages'
        yield Broken((*_TOTAL, "unit"), text, (("paginator", "type"),))


def _source_problem(total: Total) -> str | None:
    named = [name for name in ("path", "header") if getattr(total, name) is not None]
    if total.source == "none":
        return f'has from = "none" and {" and ".join(named)}: remove one of them' if named else None
    if len(named) > 1:
        return "has path and header: keep the one where the API says how many there are"
    if not named:
        return 'needs path or header, or from = "none" where the API does not say how many there are'
    if total.source not in {None, *named}:
        return f'has from = "{total.source}" and {named[0]}: name what from says, or leave from out'
    return None
