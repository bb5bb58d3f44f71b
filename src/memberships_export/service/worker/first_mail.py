"""A mail that nobody gets, written beside the start of a worker: no member waits for what the first one has to load."""

from contextlib import suppress

from memberships_export.domain.formats.options import Likes, Options
from memberships_export.domain.mail.examples import EVENTS, example
from memberships_export.ports import MailWriter


def write_first_mail(writer: MailWriter, usual: Likes) -> None:
    """Write an example of each mail, as its readers usually like it. What is wrong, the first real one will tell."""
    options = Options(
        language=next(iter(usual.languages), Options().language),
        time_zone=next(iter(usual.time_zones), Options().time_zone),
    )
    for event in EVENTS:
        with suppress(Exception):
            writer.write(example(event, options))
