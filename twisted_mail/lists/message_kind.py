"""What a message to one of a list's addresses says: a wish, or news of a failure."""

from twisted_mail.lists.posting_rules import PostHeader
from twisted_mail.mail.mailing_list import ListRole
from twisted_mail.mail.message import Blob
from twisted_mail.mail.mime.header import end, fields, text

_MAX_REPORT = 256 * 1024  # octets of a report in which is looked for what happened
_COMMANDS = {
    "subscribe": ListRole.SUBSCRIBE,
    "join": ListRole.SUBSCRIBE,
    "unsubscribe": ListRole.UNSUBSCRIBE,
}
_COMMANDS |= {"leave": ListRole.UNSUBSCRIBE, "signoff": ListRole.UNSUBSCRIBE}


def is_personal_reply(header: bytes, head: PostHeader) -> bool:
    """Say whether this is an answer such as of somebody's vacation, which is no bounce."""
    return head.is_answer and b"multipart/report" not in header.lower()


def parse_command(blob: Blob) -> ListRole | None:
    """Return what the subject of a message asks for; None for help."""
    words = subject(blob).lower().split()
    while words and words[0].endswith(":"):  # Re:
        words.pop(0)
    return _COMMANDS.get(words[0]) if words else None


def subject(blob: Blob) -> str:
    """Return the subject of a message on one line, cut where it is long. May read a file."""
    data = next(blob.pieces(0, 64 * 1024), b"")
    values = [
        field.value for field in fields(data, 0, end(data)) if field.name.lower() == b"subject"
    ]
    shown = text(values[0])[:200] if values else ""
    return "".join(sign if sign.isprintable() else " " for sign in shown)


def reports_failure(blob: Blob) -> bool:
    """Say whether a report tells of a failure: one of RFC 3464 that tells of a delay does not."""
    data = b"".join(blob.pieces(0, _MAX_REPORT)).lower()
    if b"multipart/report" not in data[: end(data)]:
        return True
    return b"\naction: failed" in data or b"\naction:" not in data
