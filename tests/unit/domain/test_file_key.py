"""Which keys a file may have."""

import pytest

from memberships_export.domain.file_key import checked_key


def test_a_key_that_is_refused_is_named_with_the_rule_that_it_breaks() -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  (the whole text follows)
        checked_key("csv/../secrets")
    assert str(refused.value) == (
        "The file key 'csv/../secrets' is not made of names of A-Z a-z 0-9 . _ - with / between them."
    )
