"""Links to the next page: which one of a header counts, and where it may lead."""

import pytest

from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.source.web_links import link_to, query_of, without

ASKED = "https://api.example.org/v1/members/a%20b"


@pytest.mark.parametrize(
    "header",
    [
        '<?page=1>; rel=prev, <?page=2>; rel="next"',
        '<?page=1>; title="first; rel=next"; rel=first, <?page=2>; title="a, <b>"; REL="last Next"; x',
        r'<?page=1>; title="\"; rel=next; \""; rel=prev, <?page=2>;rel=next;title="\\"',
        '<?page=1>; rel=first; rel=next, <?page=2>; type = "x/y" ; rel = next',
        "<?page=1>; rev=next, <?page=9>; rel*=next, <?page=8>, <?page=2>; rel=next",
    ],
)
def test_a_link_is_known_by_its_own_relation_alone(header: str) -> None:
    assert link_to(header, "next") == "?page=2"


def test_a_text_in_quotes_is_no_relation() -> None:
    assert link_to('<?page=1>; title="; rel=next"; rel=last', "next") is None


@pytest.mark.parametrize(
    "path",
    ["", "/v1/members/a%20b", "/inner/a b", "https://api.example.org/members/a%20b", "http://API.example.org/a%20b"],
)
def test_a_link_may_write_the_path_in_another_way(path: str) -> None:
    assert query_of(f"{path}?page=2", ASKED) == "page=2"


@pytest.mark.parametrize(
    "link",
    [
        "https://api.example.org@evil.example/a%20b?page=2",
        r"https://api.example.org\@evil.example/a%20b?page=2",
        "//evil.example/a%20b?page=2",
        "https://api.example.org:8443/a%20b?page=2",
        "https://[::1]/a%20b?page=2",
        "https://[::1/a%20b?page=2",
        "javascript:alert(1)?page=2",
        "/v1/members/other?page=2",
        "#page=2",
    ],
)
def test_a_link_that_leads_elsewhere_is_an_error(link: str) -> None:
    with pytest.raises(MembershipsContractBroken, match="sent a link to the next page that"):
        query_of(link, ASKED)


def test_a_parameter_can_be_left_out_of_a_query_and_the_rest_stays_as_it_was() -> None:
    assert without("a=%20b&api%5Fkey=s&key&page=2&api_key=t", "api_key") == "a=%20b&key&page=2"
