import logging
from collections.abc import Iterator

import pytest

from tests.fakes.log import Log


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[Log]:
    with caplog.at_level(logging.INFO, logger="memberships_export"):
        yield Log(caplog)
