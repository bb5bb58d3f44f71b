from memberships_export.domain.formats.options import MEANINGS, Preset


def test_every_preset_says_for_whom_it_is() -> None:
    assert list(MEANINGS) == list(Preset)
