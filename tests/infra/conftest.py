import pytest

from tests.infra.synthesis import Synthesiser


@pytest.fixture(scope="session")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Synthesiser:
    """Return what synthesises; the same combination is synthesised once only."""
    return Synthesiser(tmp_path_factory.mktemp("infra"))
