"""Answers to FETCH read back: whatever is asked, of whatever messages, the client gets just that."""

from hypothesis import given
from hypothesis import strategies as st

from tests.imap.selected import SelectedSession, SmallMailbox
from twisted_mail.imap.commands import fetch
from twisted_mail.imap.grammar import Reader
from twisted_mail.mail import dates
from twisted_mail.testing.doubles import finish

[FETCH] = fetch.COMMANDS

HEADERS = st.lists(st.sampled_from([b"A: 1\r\n", b"B: 2\r\n 3\r\n", b"a: (\r\n", b'C: "\r\n']))
BODIES = st.binary(max_size=40) | st.sampled_from([b")\r\n* 1 FETCH (", b"{3}\r\n", b"%d %b"])
FLAGS = st.lists(st.sampled_from(["\\Seen", "\\Flagged", "$Junk", "Work"]), unique=True)
ENTRIES = st.lists(st.tuples(HEADERS, BODIES, FLAGS, st.integers(0, 2**31)), min_size=1, max_size=4)

NAMES = (
    b"FLAGS UID INTERNALDATE RFC822.SIZE RFC822 RFC822.HEADER RFC822.TEXT BODY[] BODY.PEEK[TEXT]"
    b" BODY.PEEK[]<3.5> BODY[HEADER] BODY[9]"
).split()
LISTS = (b"BODY.PEEK[HEADER.FIELDS (A)]", b'BODY.PEEK[HEADER.FIELDS.NOT ("%d" a)]')
ITEMS = st.lists(st.sampled_from([*NAMES, *LISTS]), min_size=1, max_size=5, unique=True)


def read_back(data: bytes) -> dict[int, dict[bytes, object]]:
    """Read all answers: by sequence number, the value of each name."""
    reader = Reader(data)
    answers: dict[int, dict[bytes, object]] = {}
    while not reader.at_end:
        reader.take(b"* ")
        number = reader.number()
        reader.take(b" FETCH (")
        values = answers.setdefault(number, {})
        while True:
            name = item_name(reader)
            assert name not in values
            values[name] = value_of(reader, name)
            if reader.accept(b")\r\n"):
                break
            reader.space()
    return answers


def item_name(reader: Reader) -> bytes:
    start = reader.position
    reader.word()
    if reader.accept(b"["):
        reader.position = reader.data.index(b"]", reader.position) + 1
        if reader.accept(b"<"):
            reader.number()
            reader.take(b">")
    name = reader.data[start : reader.position]
    reader.space()
    return name


def value_of(reader: Reader, name: bytes) -> object:
    if name == b"FLAGS":
        return frozenset(reader.flag_list())
    if name in (b"UID", b"RFC822.SIZE"):
        return reader.number()
    if name == b"INTERNALDATE":
        return int(dates.parse_date_time(reader.string().decode("ascii")).timestamp())
    return reader.nstring()


def of_message(name: bytes, fields: list[bytes], body: bytes) -> bytes | None:
    header = b"".join(fields) + b"\r\n"
    return {
        b"RFC822": header + body,
        b"BODY[]": header + body,
        b"BODY[]<3>": (header + body)[3:8],
        b"RFC822.HEADER": header,
        b"BODY[HEADER]": header,
        b"RFC822.TEXT": body,
        b"BODY[TEXT]": body,
        b"BODY[9]": None,
        b"BODY[HEADER.FIELDS (A)]": b"".join(one for one in fields if is_a(one)) + b"\r\n",
        b'BODY[HEADER.FIELDS.NOT ("%d" a)]': b"".join(one for one in fields if not is_a(one))
        + b"\r\n",
    }[name]


def is_a(field: bytes) -> bool:
    return field[:2].lower() == b"a:"


class ExactMailbox(SmallMailbox):
    """Knows headers that are empty, too."""

    def _items(self, body: bytes):  # type: ignore[no-untyped-def]
        items = super()._items(body)
        return items._replace(header_size=2) if body.startswith(b"\r\n") else items


@given(ENTRIES, ITEMS, st.booleans())
def test_answers_read_back(entries, items, is_uid):
    mailbox = ExactMailbox()
    for fields, body, flags, date in entries:
        mailbox.add(b"".join(fields) + b"\r\n" + body, *flags, date=date)
    session = SelectedSession(mailbox)
    finish(session.run(FETCH, b"1:* (" + b" ".join(items) + b")", is_uid))
    answers = read_back(session.written())
    assert list(answers) == list(range(1, len(entries) + 1))
    for number, (fields, body, _, date) in enumerate(entries, 1):
        sent = answers[number]
        entry = mailbox.columns[number - 1]
        known = {b"FLAGS": entry.flags, b"UID": number, b"RFC822.SIZE": entry.size}
        known[b"INTERNALDATE"] = date
        for name, value in sent.items():
            assert value == (known[name] if name in known else of_message(name, fields, body))
        asked = [item.partition(b"<")[0].replace(b".PEEK", b"") for item in items]
        names = [name.partition(b"<")[0] for name in sent]
        assert [name for name in names if name in asked] == asked
        assert set(names) - set(asked) <= {b"UID", b"FLAGS"}
        assert not is_uid or b"UID" in sent
