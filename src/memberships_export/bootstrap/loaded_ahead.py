"""What workers load with their first mail, loaded before they are forked: then they share it, and none waits for it."""

from memberships_export.bootstrap.parts import mail_writer
from memberships_export.service.worker.first_mail import write_first_mail
from memberships_export.settings import Settings


def load_what_mails_take(settings: Settings) -> None:
    """Load templates, words and forms of dates by writing mails that nobody gets. It takes a tenth of a second."""
    write_first_mail(mail_writer(settings), settings.policy.likes)
