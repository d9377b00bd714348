"""What a message to one of a list's addresses is: a command, a personal reply, a failure report."""

from twisted_mail.lists.posting_rules import PostHeader
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.message import Blob
from twisted_mail.mail.mime.header import end, fields, text

_MAX_REPORT = 256 * 1024  # octets of a report that are searched
_COMMANDS = {
    "subscribe": ListRole.SUBSCRIBE,
    "join": ListRole.SUBSCRIBE,
    "unsubscribe": ListRole.UNSUBSCRIBE,
}
_COMMANDS |= {"leave": ListRole.UNSUBSCRIBE, "signoff": ListRole.UNSUBSCRIBE}


def is_personal_reply(header: bytes, head: PostHeader) -> bool:
    """Return whether this is an automatic reply, as of somebody on vacation, and no bounce."""
    return head.is_answer and b"multipart/report" not in header.lower()


def parse_command(blob: Blob) -> ListRole | None:
    """Return the command in the subject of a message; None for help. May block."""
    words = subject(blob).lower().split()
    while words and words[0].endswith(":"):  # Re:
        words.pop(0)
    return _COMMANDS.get(words[0]) if words else None


def subject(blob: Blob) -> str:
    """Return the subject of a message on one line, cut if it is long. May block."""
    data = next(blob.pieces(0, 64 * 1024), b"")
    values = [
        field.value for field in fields(data, 0, end(data)) if field.name.lower() == b"subject"
    ]
    shown = text(values[0])[:200] if values else ""
    return "".join(sign if sign.isprintable() else " " for sign in shown)


def reports_failure(blob: Blob) -> bool:
    """Return whether a report is about a failure: one of RFC 3464 may be about a delay. May block."""
    data = b"".join(blob.pieces(0, _MAX_REPORT)).lower()
    if b"multipart/report" not in data[: end(data)]:
        return True
    return b"\naction: failed" in data or b"\naction:" not in data
