import pytest

from memberships_export.adapters.http.outgoing_url import checked_url


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.org",
        "https://api.example.org:8443/v1",
        "https://10.0.0.7",
        "http://localhost:8000",
        "http://127.0.0.1:8000/",
        "http://127.3.2.1",
        "http://[::1]:8000",
    ],
)
def test_https_and_this_machine_are_accepted(url: str) -> None:
    assert checked_url("SOME_URL", url).geturl() == url


def test_a_query_passes_only_where_it_is_allowed() -> None:
    assert checked_url("SOME_URL", "https://id.example.org/keys?p=1", query_allowed=True).query == "p=1"


@pytest.mark.parametrize(
    "url,words",
    [
        ("http://memberships.internal:8000", "plain http to another machine"),
        ("http://10.0.0.7", "plain http to another machine"),
        ("http://localhost.example.org", "plain http to another machine"),
        ("http://0.0.0.0:8000", "plain http to another machine"),
        ("https://169.254.169.254", "link-local"),
        ("https://169.254.170.2/v2", "link-local"),
        ("https://2852039166", "link-local"),
        ("https://0xa9fea9fe", "link-local"),
        ("https://169.254.43518", "link-local"),
        ("https://[::ffff:169.254.169.254]", "link-local"),
        ("https://[fe80::1]", "link-local"),
        ("https://user:canary@api.example.org", "user name or password"),
        ("https://@api.example.org", "user name or password"),
        ("https://api.example.org?x=1", "query"),
        ("https://api.example.org#x", "fragment"),
        ("ftp://api.example.org", "does not start with https://"),
        ("file:///etc/passwd", "not a plain absolute URL"),
        ("api.example.org", "not a plain absolute URL"),
        ("", "not a plain absolute URL"),
        ("https://", "not a plain absolute URL"),
        ("https://api.example.org:99999", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://api.example.org\\@evil.example", "not a plain absolute URL"),
        ("https://api.example.org/a b", "not a plain absolute URL"),
        ("https://api.example.org/\r\nX: y", "not a plain absolute URL"),
        ("https://bücher.example", "not a plain absolute URL"),
        ("https://a..example.org", "not a URL"),
        (f"https://{'a' * 64}.example.org", "not a URL"),
    ],
)
def test_other_urls_are_refused_with_the_reason_and_what_is_expected(url: str, words: str) -> None:
    with pytest.raises(ValueError, match="SOME_URL") as refusal:
        checked_url("SOME_URL", url)
    text = str(refusal.value)
    assert words in text
    assert "Expected: https://host" in text
    assert "canary" not in text
    if "@" not in url:
        assert repr(url) in text


@pytest.mark.parametrize(
    "url", ["http://members-api", "http://Members-API:8080/v1", "http://10.0.0.7:80", "http://[fd00::1]:8080"]
)
def test_plain_http_goes_to_the_hosts_that_an_operator_names(url: str) -> None:
    named = {"members-api", "10.0.0.7", "fd00::1"}

    assert checked_url("SOME_URL", url, plain_http=named).geturl() == url
    with pytest.raises(ValueError, match="name it in MEMBERSHIPS_EXPORT_PLAIN_HTTP_HOSTS"):
        checked_url("SOME_URL", url)


@pytest.mark.parametrize(
    "url",
    [
        "http://members-api.example.org",
        "http://x.members-api",
        "http://members-api.",
        "http://members-api@evil.example",
        "http://evil.example/members-api",
        "http://members-api:80@evil.example",
        "http://10.0.0.70",
        "http://169.254.169.254",
        "ftp://members-api",
        "http://members-api/?x=1",
    ],
)
def test_a_host_is_named_as_a_whole_and_all_other_rules_hold(url: str) -> None:
    named = {"members-api", "10.0.0.7", "169.254.169.254"}

    with pytest.raises(ValueError, match="SOME_URL"):
        checked_url("SOME_URL", url, plain_http=named)
