"""Names of mailboxes as clients write them (RFC 3501 §5.1)."""

from twisted_mail.mail.mime.encoding import decode_mailbox_name
from twisted_mail.mail.outcome import Refused

INBOX = "INBOX"


def decoded_name(octets: bytes) -> str:
    """Return a mailbox's name as people see it; INBOX in any case is ``INBOX``.

    Raises Refused: CANNOT for octets that are not the one spelling of a name, such as plain UTF-8, which
    RFC 3501 §5.1 forbids: taken as it is, it would come back from LIST in another spelling.
    """
    if octets.upper() == b"INBOX":
        return INBOX
    try:
        return decode_mailbox_name(octets)
    except ValueError:
        raise Refused("The mailbox name is not valid modified UTF-7", "CANNOT") from None
