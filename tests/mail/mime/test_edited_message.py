import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.mime.edited_message import MAX_FIELDS, MAX_HEADER, Revision
from twisted_mail.mail.outcome import Refused
from twisted_mail.mail.verdict import AddField, ChangeBody, ChangeField

TRACE = b"Received: from a\r\n\tby b\r\n"
HEADER = b"Subject: one\r\nX-A: 1\r\nTo: a,\r\n b\r\nx-a: 2\r\n"
BODY = b"words\r\n\r\nmore\r\n"


class Watched(MemoryBlob):
    closed = 0

    def close(self):
        Watched.closed += 1


def whole(message):
    return b"".join(message.pieces())


def edited(*edits, header=HEADER, body=BODY, prefix=TRACE, lacks_empty_line=False):
    blob = MemoryBlob(header if lacks_empty_line else header + b"\r\n" + body)
    message = Message(blob, prefix)
    before = whole(message)
    revision = Revision(message, header)
    revision.edit(edits)
    made = revision.message()
    assert whole(message) == before
    assert made.size == len(whole(made))
    assert not made.prefix or made.prefix.endswith(b"\r\n")
    return whole(made)


def test_without_edits_a_message_is_what_it_was():
    message = Message(MemoryBlob(HEADER + b"\r\n" + BODY), TRACE)
    assert Revision(message, HEADER).message() == message


def test_fields_are_added_in_front_after_the_trace_and_at_the_end():
    assert edited(
        AddField("F", "1"), AddField("F", "2"), AddField("P", "1", place=1), AddField("E", "1", True)
    ) == (
        b"F: 2\r\nF: 1\r\n" + TRACE + b"P: 1\r\n" + HEADER + b"E: 1\r\n\r\n" + BODY
    )  # fmt: skip
    assert (
        edited(AddField("P", "3", place=3))
        == TRACE + HEADER.replace(b"To:", b"P: 3\r\nTo:") + b"\r\n" + BODY
    )
    assert edited(AddField("P", "9", place=99)) == TRACE + HEADER + b"P: 9\r\n\r\n" + BODY


def test_fields_in_front_leave_the_blob_alone():
    blob = MemoryBlob(HEADER + b"\r\n" + BODY)
    revision = Revision(Message(blob, TRACE), HEADER)
    revision.edit([AddField("F", "1")])
    assert revision.message().blob is blob


def test_the_nth_field_of_a_name_is_changed_or_removed():
    assert (
        edited(ChangeField("X-A", 2, "two"))
        == TRACE + HEADER.replace(b"x-a: 2", b"X-A: two") + b"\r\n" + BODY
    )
    assert (
        edited(ChangeField("to", 1, None))
        == TRACE + HEADER.replace(b"To: a,\r\n b\r\n", b"") + b"\r\n" + BODY
    )
    assert edited(ChangeField("X-A", 0, None)) == edited(ChangeField("x-a", 1, None))


def test_a_field_that_is_not_there_is_added_at_the_end():
    assert edited(ChangeField("X-A", 3, "3")) == TRACE + HEADER + b"X-A: 3\r\n\r\n" + BODY
    assert edited(ChangeField("X-A", 3, None)) == TRACE + HEADER + b"\r\n" + BODY


def test_our_trace_is_not_counted_but_what_was_added_is():
    old = b"Received: from older\r\n"
    made = edited(ChangeField("Received", 1, "gone"), header=old)
    assert made == TRACE + b"Received: gone\r\n\r\n" + BODY
    made = edited(AddField("X-A", "0"), ChangeField("X-A", 1, None))
    assert made == TRACE + HEADER + b"\r\n" + BODY
    made = edited(ChangeField("Date", 1, "later"), prefix=TRACE + b"Date: now\r\n")
    assert made == TRACE + b"Date: later\r\n" + HEADER + b"\r\n" + BODY


def test_the_body_is_changed():
    assert edited(ChangeBody(b"new\r\n")) == TRACE + HEADER + b"\r\nnew\r\n"
    assert edited(ChangeBody(b"new\r\n"), header=b"") == TRACE + b"\r\nnew\r\n"
    assert edited(ChangeBody(b""), ChangeField("To", 1, None), body=b"") == (
        TRACE + HEADER.replace(b"To: a,\r\n b\r\n", b"") + b"\r\n"
    )


def test_a_message_without_header_gets_one():
    text = b"no header here\r\n\r\nat all\r\n"
    for edit in (AddField("E", "1", True), AddField("E", "1", place=1), ChangeField("E", 1, "1")):
        revision = Revision(Message(MemoryBlob(text), TRACE + b"\r\n"), b"no header here\r\n")
        assert revision.fields == []
        assert b"".join(revision.body.pieces()) == text
        revision.edit([edit])
        assert whole(revision.message()) == TRACE + b"E: 1\r\n\r\n" + text
    revision.edit([ChangeBody(b"x"), AddField("F", "2")])
    assert whole(revision.message()) == b"F: 2\r\n" + TRACE + b"E: 1\r\n\r\nx"


def test_a_header_without_end_is_the_whole_message():
    header = b"A: 1\r\nB: 2"
    revision = Revision(Message(MemoryBlob(header), TRACE), header)
    assert list(revision.fields) == [b"A: 1\r\n", b"B: 2\r\n"]
    assert b"".join(revision.body.pieces()) == b""
    revision.edit([AddField("C", "3", True), ChangeBody(b"x")])
    assert whole(revision.message()) == TRACE + b"A: 1\r\nB: 2\r\nC: 3\r\n\r\nx"
    assert edited(AddField("C", "3", True), header=header, lacks_empty_line=True) == (
        TRACE + b"A: 1\r\nB: 2\r\nC: 3\r\n"
    )


def test_what_is_no_field_is_not_added():
    for name, value in [("A B", "1"), ("A\r\nB", "1"), ("", "1"), ("A", "x" * 70_000)]:
        assert edited(AddField(name, value, True)) == TRACE + HEADER + b"\r\n" + BODY
        assert edited(ChangeField(name, 1, value)) == TRACE + HEADER + b"\r\n" + BODY
    injected = edited(ChangeField("To", 1, "a\r\nBcc: b\n\nbody\0"))
    assert b"To: a_Bcc: b__body_\r\n" in injected


def test_of_a_very_long_header_the_end_is_not_known():
    header = b"A: 1\r\n" + b"B: " + b"x" * MAX_HEADER
    blob = MemoryBlob(header + b"xx\r\n\r\nbody")
    revision = Revision(Message(blob, TRACE), header)
    revision.edit([AddField("C", "3", True), ChangeField("A", 1, None)])
    assert whole(revision.message()) == TRACE + b"C: 3\r\n" + blob.data[6:]
    with pytest.raises(Refused):
        revision.edit([ChangeBody(b"")])
    with pytest.raises(Refused):
        revision.body  # noqa: B018


def test_of_very_many_fields_only_the_first_are_changed():
    header = b"A: 1\r\n" * (MAX_FIELDS + 2)
    assert edited(ChangeField("A", MAX_FIELDS + 1, "2"), header=header) == (
        TRACE + header + b"A: 2\r\n\r\n" + BODY
    )
    made = edited(ChangeField("A", MAX_FIELDS, "2"), AddField("B", "3", True), header=header)
    assert made.endswith(b"A: 2\r\nA: 1\r\nA: 1\r\nB: 3\r\n\r\n" + BODY)


def test_the_new_message_owns_the_old_blob():
    for edit in (ChangeBody(b""), AddField("A", "1", True)):
        Watched.closed = 0
        revision = Revision(Message(Watched(HEADER + b"\r\n"), TRACE), HEADER)
        revision.edit([edit])
        revision.message().blob.close()
        assert Watched.closed == 1


NAMES = st.sampled_from(["A", "b", "Received", "X-Long"])
VALUES = st.text(alphabet=st.sampled_from("ab \r\n\t\x00\u00e4\udce4"), max_size=12)
FIELDS = st.lists(
    st.tuples(NAMES, st.sampled_from(["1", "2,\r\n\t3", "", " x"])).map(
        lambda one: f"{one[0]}: {one[1]}\r\n".encode()
    ),
    max_size=6,
)
EDITS = st.lists(
    st.builds(AddField, NAMES, VALUES, st.booleans(), st.integers(0, 9))
    | st.builds(ChangeField, NAMES, st.integers(0, 4), st.none() | VALUES)
    | st.builds(ChangeBody, st.binary(max_size=9)),
    max_size=6,
)


def model(fields, trace_at, edits):
    """The same by the simplest means, over (name, line) pairs; None stands for our trace."""
    from twisted_mail.mail.mime.safe_fields import field

    lines = [*fields[:trace_at], None, *fields[trace_at:]]
    for edit in edits:
        if isinstance(edit, ChangeBody):
            continue
        made = b"" if edit.value is None else field(edit.name, edit.value)
        if isinstance(edit, AddField):
            at = lines.index(None) + edit.place if edit.place else 0
            lines.insert(len(lines) if edit.at_end else at, made)
            continue
        same = [
            at
            for at, line in enumerate(lines)
            if line and line.split(b":")[0].lower() == edit.name.lower().encode()
        ]
        if len(same) >= max(edit.number, 1):
            lines[same[max(edit.number, 1) - 1]] = made
            lines = [line for line in lines if line != b""]
        elif made:
            lines.append(made)
    return lines


@given(FIELDS, FIELDS, EDITS, st.binary(max_size=9))
def test_edits_do_what_a_list_of_lines_does(front, own, edits, body):
    header = b"".join(own)
    blob = MemoryBlob(header + b"\r\n" + body)
    front = [line for line in front if not line.startswith(b"Received")]
    message = Message(blob, b"".join(front) + TRACE)
    revision = Revision(message, header)
    revision.edit(edits)
    lines = model(front + own, len(front), edits)
    for edit in edits:
        body = edit.body if isinstance(edit, ChangeBody) else body
    expected = b"".join(TRACE if line is None else line for line in lines)
    assert whole(revision.message()) == expected + b"\r\n" + body
    assert list(revision.fields) == [line for line in lines if line is not None]
    assert b"".join(revision.body.pieces()) == body
    assert blob.data.startswith(header)


@given(FIELDS, EDITS, EDITS, st.binary(max_size=9))
def test_edits_in_two_steps_are_the_same_as_in_one(own, first, second, body):
    header = b"".join(own)
    message = Message(MemoryBlob(header + b"\r\n" + body), TRACE)
    once = Revision(message, header)
    once.edit([*first, *second])
    twice = Revision(message, header)
    twice.edit(first)
    twice.message()
    twice.edit(second)
    assert whole(once.message()) == whole(twice.message())


def test_where_there_is_no_trace_fields_are_counted_from_the_first():
    assert edited(AddField("P", "1", place=1), prefix=b"") == b"P: 1\r\n" + HEADER + b"\r\n" + BODY
    assert edited(AddField("P", "2", place=2), prefix=b"") == (
        HEADER.replace(b"X-A: 1", b"P: 2\r\nX-A: 1") + b"\r\n" + BODY
    )
    assert edited(AddField("F", "1"), ChangeField("X-A", 1, None), prefix=b"") == (
        b"F: 1\r\n" + HEADER.replace(b"X-A: 1\r\n", b"") + b"\r\n" + BODY
    )
    assert edited(ChangeField("Date", 1, "later"), prefix=b"Date: now\r\n") == (
        b"Date: later\r\n" + HEADER + b"\r\n" + BODY
    )
