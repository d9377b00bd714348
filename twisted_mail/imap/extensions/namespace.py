"""NAMESPACE (RFC 2342): all names are the account's own."""

from twisted_mail.imap.capabilities import Capability
from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import AFTER_LOGIN


async def _namespace(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Answer that there are neither other users' names nor shared ones (RFC 2342 §5)."""
    reader.end()
    session.untagged(b'NAMESPACE (("" "/")) NIL NIL')
    return "NAMESPACE completed."


EXTENSION = Extension(
    "NAMESPACE",
    capabilities=(Capability("NAMESPACE"),),
    commands=(Command("NAMESPACE", AFTER_LOGIN, _namespace),),
)
