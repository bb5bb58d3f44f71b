"""What writes mails, for those who look at them before they are sent."""

from memberships_export.bootstrap.parts import mail_writer

__all__ = ["mail_writer"]
