"""The strcred checker ``directory``: accounts of the mail server's own directory."""

from twisted_mail.auth.checkers import directory_checker

__all__ = ["directory_checker"]
