import jinja2
import pytest

from memberships_export.adapters.texts.mail_writer import TemplateMailWriter
from memberships_export.domain.formats.options import Format, Likes, Options
from memberships_export.domain.mail.brand import Brand
from memberships_export.domain.mail.compose import Written
from memberships_export.domain.mail.examples import EVENTS, example
from memberships_export.domain.mail.facts import Facts
from memberships_export.service.worker.first_mail import write_first_mail


@pytest.mark.parametrize("event", EVENTS)
def test_after_it_no_mail_waits_for_a_template(event: str, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = TemplateMailWriter(Brand(name="SC Example"))
    write_first_mail(writer, Likes(languages=("de-CH",), time_zones=("Europe/Zurich",)))
    monkeypatch.setattr(jinja2.Environment, "compile", _compile_nothing)
    options = Options(format=Format.XLSX, language="fr")
    assert writer.write(example(event, options, linked=True)).language == "fr"


def _compile_nothing(*_: object, **__: object) -> None:
    raise AssertionError


def test_it_is_written_as_readers_usually_like_it() -> None:
    writer = _Recorder()
    write_first_mail(writer, Likes(languages=("de-CH", "en"), time_zones=("Europe/Zurich",)))
    write_first_mail(writer, Likes())
    assert writer.told == [("de-CH", "Europe/Zurich")] * 2 + [(Options().language, Options().time_zone)] * 2


def test_what_is_wrong_with_it_keeps_nobody_from_working() -> None:
    write_first_mail(_Broken(), Likes())
    write_first_mail(
        TemplateMailWriter(Brand(), strict=True), Likes(languages=("xx-??",), time_zones=("Nowhere/At all",))
    )


class _Recorder:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def write(self, facts: Facts) -> Written:
        self.told.append((facts.language, facts.time_zone))
        return Written(language=facts.language, subject="", text="", html="")


class _Broken:
    def write(self, _facts: Facts) -> Written:
        raise RuntimeError
