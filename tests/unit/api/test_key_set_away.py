"""What users see while the identity provider hangs: nothing, unless they need a key that is not at hand."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

import pytest
from fastapi.testclient import TestClient

from memberships_export.adapters.identity.endpoint import Limits
from memberships_export.adapters.identity.jwks import JwksVerifier, KeySetReader
from memberships_export.adapters.identity.jwks_http import KeySetHttp
from memberships_export.adapters.identity.remote_keys import RemoteKeys, Timing
from tests.fakes.forged_tokens import KeySet, claims, rs, served
from tests.fakes.world import World
from tests.unit.api.service import bearer, expected, exports_api, own_app

ATTACKERS, PLACES = 46, 16
STUCK = 60  # seconds after which a test fails instead of hanging


@pytest.fixture
def key_set() -> Iterator[KeySet]:
    with served() as keys:
        yield keys


@contextmanager
def service(key_set: KeySet) -> Iterator[TestClient]:
    """The API, whose read of the key set may take for ever."""
    source = KeySetReader(KeySetHttp(key_set.url, Limits(seconds=600)))
    tokens = JwksVerifier(RemoteKeys(source, Timing(cooldown=0, wait=600)), expected())
    with TestClient(own_app(exports_api(World(), tokens))) as client:
        yield client


@contextmanager
def asking(client: TestClient, key_set: KeySet, key_id: str) -> Iterator[Queue[int]]:
    """As many as may want to stop the service, all at once; gives the statuses of their answers as they come."""
    statuses: Queue[int] = Queue()

    def ask() -> None:
        statuses.put(client.get("/memberships/exports", headers=bearer(rs(claims(), kid=key_id))).status_code)

    threads = [threading.Thread(target=ask) for _ in range(ATTACKERS)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        key_set.gate.set()
        for thread in threads:
            thread.join()


def test_users_with_known_keys_and_probes_are_answered_while_a_crowd_waits_for_unknown_keys(key_set: KeySet) -> None:
    with service(key_set) as client:
        known = bearer(rs(claims()))
        assert client.get("/memberships/exports", headers=known).status_code == 200
        key_set.gate.clear()
        with asking(client, key_set, "unknown") as statuses:
            assert [statuses.get(timeout=STUCK) for _ in range(ATTACKERS - PLACES)] == [503] * (ATTACKERS - PLACES)

            assert client.get("/memberships/exports", headers=known).status_code == 200
            assert client.get("/readyz").status_code == 200

            assert not key_set.gate.is_set()
        assert [statuses.get(timeout=STUCK) for _ in range(PLACES)] == [401] * PLACES
    assert key_set.reads == 2


def test_probes_are_answered_while_the_first_users_wait_for_the_first_read(key_set: KeySet) -> None:
    with service(key_set) as client:
        key_set.gate.clear()
        with asking(client, key_set, "rsa-1") as statuses:
            assert [statuses.get(timeout=STUCK) for _ in range(ATTACKERS - PLACES)] == [503] * (ATTACKERS - PLACES)

            assert client.get("/readyz").status_code == 200

            assert not key_set.gate.is_set()
        assert [statuses.get(timeout=STUCK) for _ in range(PLACES)] == [200] * PLACES
    assert key_set.reads == 1
