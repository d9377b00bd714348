"""A message as altered by edits: other fields, another body. The message that came in stays as it is.

Fields are counted as mail filters count them: all fields of the message, including those added earlier,
but not the trace that we put before it (Received), which filters do not see.
"""

import re
from collections.abc import Iterable, Sequence

from twisted_mail.mail.message import Blob, JoinedBlob, MemoryBlob, Message, SlicedBlob
from twisted_mail.mail.mime.safe_fields import field
from twisted_mail.mail.outcome import Outcome, Refused
from twisted_mail.mail.verdict import AddField, ChangeBody, ChangeField, Edit

MAX_HEADER = 128 * 1024  # octets of a header that are looked at
MAX_FIELDS = 2000  # of a header that can be changed; later ones stay as they are

TOO_LONG = Outcome(552, "5.3.4", "The header of the message is too long")

_BREAK = re.compile(rb"(?<=\r\n)(?![ \t])")  # between two fields
_CRLF = b"\r\n"


class Revision:
    """One message taken apart, so that it can be edited and put together again.

    ``header`` is the message's own: the octets of its blob before the empty line. One of ``MAX_HEADER``
    octets or more may be incomplete; then fields can be edited, but the body cannot be found.
    """

    def __init__(self, message: Message, header: bytes) -> None:
        self._message = message
        prefix = message.prefix
        self._lacks_header = prefix == _CRLF or prefix.endswith(_CRLF * 2)  # we put it there
        own = b"" if self._lacks_header else header
        self._is_whole = len(own) < MAX_HEADER
        front = _split(prefix.removesuffix(_CRLF) if self._lacks_header else prefix)
        self._trace_at = _trace_at(front)
        fields = _split(own)
        self._start = len(own)  # in the blob, of what follows the fields
        if not self._is_whole:
            self._start -= len(fields.pop())  # perhaps a part of a field
        elif fields and not fields[-1].endswith(_CRLF):
            fields[-1] += _CRLF
        self._rest = b"".join(fields[MAX_FIELDS:])
        del fields[MAX_FIELDS:]
        self._fields = front + fields
        self._own = len(fields)
        self._is_altered = False  # after the trace
        self._body: bytes | None = None

    # ------------------------------------------------------------ reading

    @property
    def fields(self) -> Sequence[bytes]:
        """Return the fields with their line ends, without our trace."""
        at = self._trace_at
        return [*self._fields[:at], *self._fields[at + 1 :], *_split(self._rest)]

    @property
    def names(self) -> Sequence[bytes]:
        """Return the lower-case names of the fields."""
        return [name_of(one) for one in self.fields]

    @property
    def body(self) -> Blob:
        """Return what follows the empty line. Raises Refused when the header is too long."""
        if self._body is not None:
            return MemoryBlob(self._body)
        if not self._is_whole:
            raise Refused(TOO_LONG)
        blob = self._message.blob
        start = 0 if self._lacks_header else min(self._start + len(_CRLF), blob.size)
        return SlicedBlob(blob, start, blob.size)

    def message(self) -> Message:
        """Return the message as it is now. It owns the blob of the one that came in."""
        if not self._is_altered and self._body is None:
            front = self._fields[: len(self._fields) - self._own]
            return Message(self._message.blob, b"".join(front) + _CRLF * self._lacks_header)
        own = self._trace_at + 1
        head = b"".join([*self._fields[own:], self._rest])
        return Message(self._joined(head), b"".join(self._fields[:own]))

    def _joined(self, head: bytes) -> Blob:
        """Return the fields after the trace together with the body."""
        blob = self._message.blob
        if self._body is not None:
            new = MemoryBlob(head + _CRLF + self._body)
            return JoinedBlob((new, SlicedBlob(blob, 0, 0)))  # the old one is closed with it
        if self._lacks_header:
            return JoinedBlob((MemoryBlob(head + _CRLF), blob))
        return JoinedBlob((MemoryBlob(head), SlicedBlob(blob, self._start, blob.size)))

    # ------------------------------------------------------------ editing

    def edit(self, edits: Iterable[Edit]) -> None:
        """Apply the edits that concern the message, in their order. Raises Refused.

        What would be no valid field is not added.
        """
        for edit in edits:
            if isinstance(edit, AddField):
                self._add(edit)
            elif isinstance(edit, ChangeField):
                self._change(edit)
            elif isinstance(edit, ChangeBody):
                if not self._is_whole:
                    raise Refused(TOO_LONG)
                self._body = edit.body

    def _add(self, edit: AddField) -> None:
        made = field(edit.name, edit.value)
        if not made:
            return
        if edit.at_end:
            self._append(made)
        elif edit.place < 1:
            self._fields.insert(0, made)
            self._trace_at += 1
        else:
            self._fields.insert(self._trace_at + edit.place, made)
            self._is_altered = True

    def _append(self, made: bytes) -> None:
        if self._rest:
            self._rest += made
        else:
            self._fields.append(made)
        self._is_altered = True

    def _change(self, edit: ChangeField) -> None:
        made = b"" if edit.value is None else field(edit.name, edit.value)
        if edit.value is not None and not made:
            return
        at = self._find(edit.name.encode("utf-8", "replace").lower(), edit.number)
        if at is None:
            if made:
                self._append(made)
            return
        self._is_altered |= at > self._trace_at
        self._fields[at : at + 1] = [made] if made else []
        self._trace_at -= at < self._trace_at and not made

    def _find(self, name: bytes, number: int) -> int | None:
        """Return where the n-th field of a lower-case name is."""
        for at, one in enumerate(self._fields):
            if at != self._trace_at and name_of(one) == name:
                number -= 1
                if number < 1:
                    return at
        return None


def name_of(one: bytes) -> bytes:
    """Return the lower-case name of a field; empty for what is no field."""
    name, colon, _ = one.partition(b":")
    return name.rstrip(b" \t").lower() if colon else b""


def _split(octets: bytes) -> list[bytes]:
    """Split a header into its fields, each with its line ends."""
    return [piece for piece in _BREAK.split(octets) if piece]


def _trace_at(front: list[bytes]) -> int:
    """Return where our trace is; an empty one is inserted if there is none."""
    for at, one in enumerate(front):
        if name_of(one) == b"received":
            return at
    front.insert(0, b"")
    return 0
