"""Mails from templates. What that takes is loaded with the first mail: nobody else waits for it."""

from functools import cached_property
from typing import TYPE_CHECKING

from memberships_export.domain.mail.brand import Brand
from memberships_export.domain.mail.compose import Written
from memberships_export.domain.mail.facts import Facts
from memberships_export.domain.mail.plain_text import one_line

if TYPE_CHECKING:
    from memberships_export.adapters.texts.mail_templates import MailTemplates


class TemplateMailWriter:
    """The port MailWriter, over the templates below `mail/` and the catalogues below `translations/`."""

    def __init__(self, brand: Brand, *, strict: bool = False) -> None:
        """Keep the brand. `strict`: a template that names what is not there is an error, and not only logged."""
        self._brand = brand
        self._strict = strict

    def write(self, facts: Facts) -> Written:
        """Write subject, text and page."""
        subject, text, html = (
            self._templates.render(f"{facts.event}/{part}", facts) for part in ("subject.txt", "body.txt", "body.html")
        )
        return Written(language=facts.language, subject=one_line(subject), text=text, html=html)

    @cached_property
    def _templates(self) -> "MailTemplates":
        from memberships_export.adapters.texts.mail_templates import MailTemplates  # noqa: PLC0415

        return MailTemplates(self._brand, strict=self._strict)
