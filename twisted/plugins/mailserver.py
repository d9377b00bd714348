"""The twistd command ``mailserver``."""

import signal
import sys

from twisted.application.service import ServiceMaker

# There is nothing yet that could be read again, and without this SIGHUP would end the process. In the
# server alone: twistd loads this file for its other commands, too.
if "mailserver" in sys.argv[1:] and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

mailserver = ServiceMaker(
    "twisted_mail",
    "twisted_mail.service",
    "All-in-one mail server: SMTP, POP3 and IMAP over one maildir store.",
    "mailserver",
)
