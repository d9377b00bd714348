"""Where strcred finds the login checkers of the mail server."""

from twisted_mail.auth.checkers import directory_checker

__all__ = ["directory_checker"]
