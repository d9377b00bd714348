"""The size of the largest message that APPEND takes, before it is sent (RFC 7889)."""

from twisted_mail.imap.capabilities import Capability
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.mailboxes.status_items import StatusItem

EXTENSION = Extension(
    "APPENDLIMIT",
    capabilities=(
        Capability("APPENDLIMIT", values=lambda context: [str(context.settings.max_size)]),
    ),
    status_items=(StatusItem("APPENDLIMIT", lambda _, settings: settings.max_size),),
)
