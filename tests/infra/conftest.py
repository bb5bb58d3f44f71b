import pytest

from tests.infra.synthesis import Synthesiser
from tests.once import Once


@pytest.fixture(scope="session")
def synth(once: Once) -> Synthesiser:
    return Synthesiser(once)
