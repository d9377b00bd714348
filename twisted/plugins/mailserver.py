"""The twistd command ``mailserver``."""

from twisted.application.service import ServiceMaker

mailserver = ServiceMaker(
    "twisted_mail",
    "twisted_mail.service",
    "All-in-one mail server: SMTP, POP3 and IMAP over one maildir store.",
    "mailserver",
)
