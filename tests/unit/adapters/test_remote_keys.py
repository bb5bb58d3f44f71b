"""Who waits for the identity provider, and who does not: told by events, never by a clock."""

import threading
from collections.abc import Callable, Iterator
from queue import Queue

import jwt
import pytest

from memberships_export.adapters.identity.remote_keys import Keys, RemoteKeys, Timing
from memberships_export.service.user.callers import AuthenticationError, InvalidToken, KeysUnavailable
from tests.fakes.forged_tokens import OTHER_RSA_KEY, RSA_KEY, public_jwk

OLD, NEW, UNKNOWN = ("RS256", "old"), ("RS256", "new"), ("RS256", "unknown")
OLD_KEY, NEW_KEY = jwt.PyJWK(public_jwk(RSA_KEY, "old")), jwt.PyJWK(public_jwk(OTHER_RSA_KEY, "new"))
PATIENT = Timing(wait=600)
STUCK = 60  # seconds after which a test fails instead of hanging
MANY = 60


class Provider:
    """A key set that hangs while `gate` is not set, and fails while there are no keys."""

    where = "id.example.org/keys"

    def __init__(self) -> None:
        self.keys: Keys | None = {OLD: OLD_KEY}
        self.reads = 0
        self.begun = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()

    def read(self) -> Keys | None:
        self.reads += 1
        self.begun.release()
        self.gate.wait()
        return self.keys


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.gate.set()  # nobody outlives a test that failed


@pytest.fixture
def clock() -> Clock:
    return Clock()


def read_already(provider: Provider, clock: Clock, timing: Timing = PATIENT) -> RemoteKeys:
    remote = RemoteKeys(provider, timing, clock)
    assert remote.key(OLD) is OLD_KEY
    assert provider.begun.acquire(timeout=STUCK)
    return remote


def hanging(provider: Provider) -> None:
    provider.gate.clear()


class Crowd:
    """Users who all come at once; `answers` are what they get, in the order in which they get it."""

    def __init__(self, remote: RemoteKeys, count: int, name: Callable[[int], tuple[str, str]]) -> None:
        self.answers: Queue[jwt.PyJWK | AuthenticationError] = Queue()
        self._start = threading.Barrier(count)
        self._threads = [threading.Thread(target=self._ask, args=(remote, name(number))) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def _ask(self, remote: RemoteKeys, name: tuple[str, str]) -> None:
        self._start.wait()
        try:
            self.answers.put(remote.key(name))
        except AuthenticationError as error:
            self.answers.put(error)

    def next(self, count: int) -> list[jwt.PyJWK | AuthenticationError]:
        return [self.answers.get(timeout=STUCK) for _ in range(count)]

    def end(self) -> None:
        for thread in self._threads:
            thread.join()


# --- Keys at hand -----------------------------------------------------------------------------------------------------


def test_a_known_key_is_given_while_the_provider_hangs(provider: Provider, clock: Clock) -> None:
    remote = read_already(provider, clock)
    clock.now += 30
    hanging(provider)
    attack = Crowd(remote, MANY, lambda number: ("RS256", f"unknown-{number}"))
    assert provider.begun.acquire(timeout=STUCK)

    assert [remote.key(OLD) for _ in range(100)] == [OLD_KEY] * 100

    assert not provider.gate.is_set()
    provider.gate.set()
    attack.end()
    assert provider.reads == 2


def test_old_keys_are_used_while_they_are_read_again(provider: Provider, clock: Clock) -> None:
    remote = read_already(provider, clock)
    hanging(provider)
    clock.now += 299
    assert remote.key(OLD) is OLD_KEY
    assert provider.reads == 1
    clock.now += 1

    assert remote.key(OLD) is OLD_KEY

    assert provider.begun.acquire(timeout=STUCK)
    assert remote.key(OLD) is OLD_KEY
    provider.gate.set()


def test_a_key_that_was_taken_out_of_the_set_is_refused_after_the_next_read(provider: Provider, clock: Clock) -> None:
    remote = read_already(provider, clock)
    provider.keys = {NEW: NEW_KEY}
    clock.now += 30
    assert remote.key(NEW) is NEW_KEY
    with pytest.raises(InvalidToken, match="not in the configured key set"):
        remote.key(OLD)


def test_keys_stay_good_for_a_day_while_the_provider_is_away(provider: Provider, clock: Clock) -> None:
    remote = read_already(provider, clock)
    provider.keys = None
    for _ in range(24):
        clock.now += 3599
        assert remote.key(OLD) is OLD_KEY
    clock.now += 24
    with pytest.raises(KeysUnavailable):
        remote.key(OLD)


def test_after_an_outage_of_any_length_a_good_read_is_enough(provider: Provider, clock: Clock) -> None:
    remote = read_already(provider, clock)
    clock.now += 1_000_000
    assert remote.key(OLD) is OLD_KEY


def test_a_machine_without_more_threads_goes_on_with_the_keys_at_hand(
    provider: Provider, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    remote = read_already(provider, clock)
    clock.now += 300
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", full)
        assert remote.key(OLD) is OLD_KEY
        with pytest.raises(KeysUnavailable):
            remote.key(UNKNOWN)
    provider.keys = {NEW: NEW_KEY}
    assert remote.key(NEW) is NEW_KEY


# --- Unknown keys -----------------------------------------------------------------------------------------------------


def test_many_unknown_keys_at_once_cost_one_read(provider: Provider, clock: Clock) -> None:
    remote = read_already(provider, clock)
    clock.now += 30
    hanging(provider)
    attack = Crowd(remote, MANY, lambda number: ("RS256", f"unknown-{number}"))
    assert provider.begun.acquire(timeout=STUCK)
    provider.gate.set()
    attack.end()
    for number in range(100):
        with pytest.raises(InvalidToken):
            remote.key(("ES256", f"unknown-{number}"))
    assert provider.reads == 2


def test_an_unknown_key_asks_once_in_thirty_seconds(provider: Provider, clock: Clock) -> None:
    remote = read_already(provider, clock)
    for passed, reads in ((29.9, 1), (0.1, 2), (29.9, 2), (0.1, 3)):
        clock.now += passed
        with pytest.raises(InvalidToken):
            remote.key(UNKNOWN)
        assert provider.reads == reads


def test_a_new_key_is_found_by_the_first_token_that_names_it(provider: Provider, clock: Clock) -> None:
    remote = read_already(provider, clock)
    provider.keys = {OLD: OLD_KEY, NEW: NEW_KEY}
    clock.now += 30
    assert remote.key(NEW) is NEW_KEY


def test_an_unknown_key_is_not_called_wrong_while_the_last_read_failed(provider: Provider, clock: Clock) -> None:
    remote = read_already(provider, clock)
    provider.keys = None
    clock.now += 30
    for _ in range(2):  # by the read that failed, and by its memory
        with pytest.raises(KeysUnavailable):
            remote.key(UNKNOWN)
    assert provider.reads == 2


# --- No keys yet ------------------------------------------------------------------------------------------------------


def test_the_first_users_wait_for_one_read_together(provider: Provider) -> None:
    hanging(provider)
    crowd = Crowd(RemoteKeys(provider, PATIENT), 16, lambda _: OLD)
    assert provider.begun.acquire(timeout=STUCK)
    provider.gate.set()
    assert crowd.next(16) == [OLD_KEY] * 16
    crowd.end()
    assert provider.reads == 1


def test_no_more_than_sixteen_wait_so_that_other_requests_have_threads(provider: Provider) -> None:
    hanging(provider)
    crowd = Crowd(RemoteKeys(provider, PATIENT), MANY, lambda _: OLD)

    at_once = crowd.next(MANY - 16)

    assert {type(answer) for answer in at_once} == {KeysUnavailable}
    assert not provider.gate.is_set()
    provider.gate.set()
    assert crowd.next(16) == [OLD_KEY] * 16
    crowd.end()


def test_nobody_waits_a_turn_for_a_provider_that_hangs(provider: Provider) -> None:
    hanging(provider)
    remote = RemoteKeys(provider, Timing(wait=0.05))
    for _ in range(3):  # the second and the third crowd find the time of the read to be up
        crowd = Crowd(remote, MANY, lambda _: OLD)
        assert {type(answer) for answer in crowd.next(MANY)} == {KeysUnavailable}
        crowd.end()
    assert provider.begun.acquire(timeout=STUCK)
    assert provider.reads == 1
    assert not provider.gate.is_set()
    provider.gate.set()


def test_who_waits_in_vain_leaves_the_place_to_the_next(provider: Provider, clock: Clock) -> None:
    remote = RemoteKeys(provider, PATIENT, clock)
    hanging(provider)
    first = Crowd(remote, 1, lambda _: OLD)
    assert provider.begun.acquire(timeout=STUCK)
    clock.now += 600
    for _ in range(40):
        with pytest.raises(KeysUnavailable):
            remote.key(OLD)
    provider.gate.set()
    first.end()
    for reading in [thread for thread in threading.enumerate() if thread.name == "key-set"]:
        reading.join()

    provider.keys = {NEW: NEW_KEY}
    clock.now += 30
    assert remote.key(NEW) is NEW_KEY


def test_a_provider_that_refuses_at_once_is_not_asked_with_each_token(provider: Provider, clock: Clock) -> None:
    remote = RemoteKeys(provider, PATIENT, clock)
    provider.keys = None
    for passed, reads in ((0, 1), (0.9, 1), (0.1, 2), (0.5, 2)):
        clock.now += passed
        with pytest.raises(KeysUnavailable, match=r"id\.example\.org/keys cannot be read at the moment"):
            remote.key(OLD)
        assert provider.reads == reads
    provider.keys = {OLD: OLD_KEY}
    clock.now += 0.5
    assert remote.key(OLD) is OLD_KEY
