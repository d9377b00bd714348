"""What is rendered of a message's header alone: the envelope, and the fields that are kept."""

from twisted_mail.imap.fetch.envelope import envelope
from twisted_mail.imap.fetch.sections import KEPT, MAX_HEADER, MAX_KEPT, ends_header, kept_fields
from twisted_mail.mail.mime import header
from twisted_mail.mail.mime.structure import MAX_HEADERS

# The fields that an envelope is made of; all of them are kept.
_SHOWN = frozenset(b"date subject from sender reply-to to cc bcc in-reply-to message-id".split())


def header_items(data: bytes, header_size: int) -> tuple[bytes, bytes | None]:
    """Return the envelope of a message and its kept fields, None where these are too long.

    ``header_size`` is where the header ends; nothing after it is looked at.
    """
    lines = header.raw_lines(data, 0, header_size) if header_size <= MAX_HEADER else []
    if not 0 < len(lines) < header.MAX_FIELDS:
        looked_at = min(header_size, MAX_HEADERS)
        return envelope(header.values(data, 0, looked_at, _SHOWN)), kept_fields(data, header_size)
    fields: dict[bytes, list[bytes]] = {}
    kept = []
    for line in lines:
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" \t").lower()
        if name in KEPT:
            if colon:
                kept.append(line)
            fields.setdefault(name, []).append(value)
    return envelope(fields), _written(kept, lines[-1], ends_header(data[:header_size]))


def _written(kept: list[bytes], last: bytes, is_ended: bool) -> bytes | None:
    """Return kept lines as they stood in the header, whose last line was ``last``, with its end."""
    if kept and kept[-1] is not last:
        kept.append(b"")
    fields = b"\n".join(kept) + (b"\r\n" if is_ended else b"")
    return fields if len(fields) <= MAX_KEPT else None
