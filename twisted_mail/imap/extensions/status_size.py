"""The size of a whole mailbox in STATUS (RFC 8438)."""

from twisted_mail.imap.capabilities import Capability
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.mailboxes.status_items import StatusItem

EXTENSION = Extension(
    "STATUS=SIZE",
    capabilities=(Capability("STATUS=SIZE"),),
    status_items=(StatusItem("SIZE", lambda status, _: status.size, needs_size=True),),
)
