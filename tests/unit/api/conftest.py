from collections.abc import Iterator

import pytest

from tests.fakes.world import World
from tests.unit.api.service import HmacWebhook, Service, exports_api, foreign_app, own_app


@pytest.fixture(params=[own_app, foreign_app], ids=["own app", "foreign app"])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    """The routes in our own app, and the same in an app that knows nothing of them: they must not differ."""
    world = World()
    service = Service(world, request.param(exports_api(world, webhook=HmacWebhook())))
    with service.client:
        yield service
