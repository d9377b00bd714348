"""Tests of twisted_mail.store.search.fulltext, with the plain scan as the oracle."""

import base64
import itertools
import os
import quopri
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mailbox.numbers import MAX_NUMBER
from twisted_mail.mail.mime.substring_search import matches, searchable
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.search import checksums, fulltext, indexed_messages, word_tables
from twisted_mail.store.search.fields import fields_in
from twisted_mail.store.search.fulltext import FullTextIndex, IndexedContent
from twisted_mail.store.search.indexed_messages import MailboxKey, MessageKey
from twisted_mail.store.search.texts import matches_everything, substring_query, text_of

LIMIT = 100_000
INBOX, SENT = MailboxKey(b"", 1), MailboxKey(b".Sent", 2)
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullTextIndex]:
    found = FullTextIndex(Disk(), os.fsencode(tmp_path_factory.mktemp("search") / "search.sqlite3"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fulltext, "READING_COST", 10**9)  # the index tells whatever it can
        yield found
    found.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "search.sqlite3"


@pytest.fixture
def index(path: Path) -> Iterator[FullTextIndex]:
    found = FullTextIndex(Disk(), os.fsencode(path))
    yield found
    found.close()


def identity(uid: int, data: bytes = b"") -> MessageKey:
    return MessageKey(uid, b"%d.base" % uid, len(data))


def put(
    index: FullTextIndex, place: MailboxKey, messages: dict[int, bytes], limit: int = LIMIT
) -> None:
    index.add(
        place,
        [
            IndexedContent(identity(uid, data), fields_in(data), text_of(searchable(data), limit))
            for uid, data in messages.items()
        ],
    )


def trust(index: FullTextIndex, place: MailboxKey, messages: dict[int, bytes]) -> None:
    begun = index.begin(place, [place])
    if begun is not None:
        there = [identity(uid, data) for uid, data in messages.items()]
        index.compare(place, 1, 2**32 - 1, there)
        index.trust(place, begun)


def check(
    index: FullTextIndex, place: MailboxKey, messages: dict[int, bytes], what: Contains
) -> tuple[set[int], set[int]]:
    """Compare with the oracle; return what was found, and what was not known."""
    if matches_everything(what):
        assert all(matches(data, what) for data in messages.values())
        return set(messages), set()
    asked = substring_query(what)
    if not asked.is_answerable:
        return set(), set(messages)
    found = index.look_up(place, sorted(messages), asked)
    assert found is not None
    right = {uid for uid, data in messages.items() if matches(data, what)}
    assert found.hits <= right
    assert right - found.hits <= found.unknown
    return set(found.hits), set(found.unknown)


# ---------------------------------------------------------------- exactness

ALPHABET = "aAbB éÉßſİıﬁ\u0301\u0323\u0338<\"'*:\n\r\0\ufffd\ufffe한글ㅎ日本語😀=?"
ALPHABET += "\u00a0\u3000Ａａｶﾞガ½´ㄱㅏㄳ"
texts = st.one_of(st.text(alphabet=ALPHABET, max_size=40), st.text(max_size=20))
charsets = st.sampled_from(["utf-8", "iso-8859-1", "utf-16", "koi8-r", "gb2312", "nonsense"])


def encoded(text: str, charset: str, encoding: str) -> bytes:
    try:
        raw = text.encode(charset, "replace")
    except LookupError:
        raw = text.encode("utf-8", "surrogatepass")
    if encoding == "base64":
        return base64.encodebytes(raw)
    return quopri.encodestring(raw) if encoding == "quoted-printable" else raw


@st.composite
def parts(draw: st.DrawFn) -> tuple[bytes, str]:
    charset, text = draw(charsets), draw(texts)
    encoding = draw(st.sampled_from(["8bit", "base64", "quoted-printable"]))
    kind = draw(st.sampled_from(["text/plain", "text/html", "message/rfc822", "image/png"]))
    header = f"Content-Type: {kind}; charset={charset}; name=xyz\nContent-Transfer-Encoding: "
    return (header + encoding + "\n\n").encode() + encoded(text, charset, encoding), text


def word(text: str, charset: str) -> bytes:
    if charset == "nonsense":
        return text.replace("\n", " ").encode("utf-8", "surrogatepass")
    data = base64.b64encode(text.encode(charset, "replace"))
    return b"=?" + charset.encode() + b"?b?" + data + b"?="


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, list[str]]:
    """Draw a message, and texts that lie in it."""
    held = []
    lines = []
    for name in draw(
        st.lists(st.sampled_from([b"Subject", b"To", b"X-Odd", b"FROM", b"x y", b"\xe4x"]))
    ):
        text = draw(texts)
        held.append(text)
        lines.append(name + b": " + word(text, draw(charsets)) + b"\n")
    found = draw(st.lists(parts(), max_size=3))
    held += [text for _, text in found]
    if len(found) == 1:
        return b"".join(lines) + found[0][0], held
    lines.append(b"Content-Type: multipart/mixed; boundary=bb\n\n")
    body = b"".join(b"--bb\n" + data + b"\n" for data, _ in found)
    return b"".join(lines) + body + b"--bb--\n", held


@st.composite
def searches(draw: st.DrawFn) -> tuple[bytes, Contains]:
    data, held = draw(messages())
    told = searchable(data)
    held += [data.decode("latin-1"), told.headers, told.body, told.names]
    text = draw(st.sampled_from(held) | texts)
    start = draw(st.integers(0, max(0, len(text) - 1)))
    needle = text[start : start + draw(st.integers(0, 12) | st.just(300))]
    needle = draw(st.sampled_from([str, str.upper, str.lower, str.swapcase]))(needle)
    where = draw(st.sampled_from(["text", "body", "header"]))
    name = draw(st.sampled_from(["subject", "TO", "x-odd", "From", "x y", "äx", "cc", "x"]))
    return data, Contains(where, needle, name if where == "header" else "")


@given(searches(), st.sampled_from([LIMIT, 60, 5, 0]))
@example((b"X-Odd: \xcc\x81\xcc\xa3x\n\n", Contains("header", "\u0301\u0323x", "x-odd")), LIMIT)
@example((b"X-Odd: =?utf-8?q?a=0Ab=0Acd?=\n\n", Contains("header", "b\ncd", "x-odd")), LIMIT)
@example((b"Subject: =?utf-8?q?a=0Ab=0Acd?=\n\n", Contains("header", "b\ncd", "subject")), LIMIT)
@example((b"Subject: abc\n\n", Contains("text", "subject: abc")), LIMIT)
@example((b"Subject:\nSubject: x\n\n", Contains("text", "subject: \ns")), LIMIT)
@example((b"\n\nab\x00cd\xef\xbf\xbd", Contains("text", "abcd")), LIMIT)
def test_answers_are_those_of_the_plain_scan(
    shared: FullTextIndex, search: tuple[bytes, Contains], limit: int
):
    data, what = search
    place = MailboxKey(b"any", next(_numbers))
    there = {1: data, 2: b"Subject: other\n\nsomething else altogether"}
    put(shared, place, there, limit)
    trust(shared, place, there)
    _, unknown = check(shared, place, there, what)
    asked = substring_query(what)
    is_certain = asked.is_answerable and asked.is_exact and limit == LIMIT
    assert not is_certain or not unknown


def corpus(number: int) -> dict[int, bytes]:
    chance = random.Random(7)
    words = ["alpha", "beta", "Straße", "naïve", "会議", "привет", "e\u0301clair", "ab", "x"]

    def text(length: int) -> str:
        return " ".join(chance.choice(words) for _ in range(length))

    def message(uid: int) -> bytes:
        charset = chance.choice(["utf-8", "utf-16", "gb18030"])
        encoding = chance.choice(["8bit", "base64", "quoted-printable"])
        header = (
            f"From: {uid % 7} <u@example.org>\nX-Number: {uid % 5}\nMessage-ID: <{uid}@x>\n"
            f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {encoding}\n"
        )
        subject = b"Subject: " + word(text(4), charset) + b"\n\n"
        return header.encode() + subject + encoded(text(60), charset, encoding)

    return {uid: message(uid) for uid in range(1, number + 1)}


def test_a_corpus_is_searched_as_by_the_plain_scan(index: FullTextIndex):
    there = corpus(300)
    put(index, INBOX, there)
    trust(index, INBOX, there)
    words = ["alpha", "STRASSE", "e\u0301CLAIR", "会議", "привет", "lph", "ß", "議", "nope"]
    needles = ["alpha beta", "e\u0301CLAIR 会", "привет привет", "ab x", "a ab", "alpha nope"]
    found = 0
    for where, needle in itertools.product(["text", "body"], words):
        hits, unknown = check(index, INBOX, there, Contains(where, needle))
        assert not unknown
        found += len(hits)
    assert found > 1000
    for where, needle in itertools.product(["text", "body"], needles):
        hits, unknown = check(index, INBOX, there, Contains(where, needle))
        assert where == "text" or not hits
        assert bool(hits | unknown) == ("nope" not in needle)
    for name, needle in [("from", "3 <"), ("subject", "会議"), ("message-id", "<12@"), ("cc", "")]:
        assert not check(index, INBOX, there, Contains("header", needle, name))[1]
    hits, unknown = check(index, INBOX, there, Contains("header", "3", "x-number"))
    assert (hits, unknown) == (set(), set(there))  # too short: all that have the field
    hits, unknown = check(index, INBOX, there, Contains("header", "abc", "x-number"))
    assert (hits, unknown) == (set(), set())


# ---------------------------------------------------------------- whose text it is

HELLO = {1: b"Subject: one\n\nhello", 2: b"Subject: two\n\nhello", 5: b"\n\nother"}
ASKED = substring_query(Contains("text", "hello"))


def hits(index: FullTextIndex, place: MailboxKey = INBOX, *uids: int) -> frozenset[int] | None:
    found = index.look_up(place, sorted(uids or HELLO), ASKED)
    return found and found.hits


def test_nothing_is_believed_before_it_was_compared(index: FullTextIndex):
    put(index, INBOX, HELLO)
    assert index.look_up(INBOX, sorted(HELLO), ASKED) is None
    trust(index, INBOX, HELLO)
    assert hits(index) == {1, 2}


def test_only_what_is_asked_for_is_found(index: FullTextIndex):
    put(index, INBOX, HELLO)
    trust(index, INBOX, HELLO)
    assert hits(index, INBOX, 2, 3) == {2}
    assert index.look_up(INBOX, [2, 3], ASKED) == ({2}, {3})
    assert index.look_up(INBOX, [], ASKED) == (frozenset(), frozenset())


def test_another_message_under_a_uid_is_found_out(index: FullTextIndex):
    put(index, INBOX, HELLO)
    begun = index.begin(INBOX, [INBOX])
    assert begun is not None
    there = [
        identity(1, HELLO[1]),
        MessageKey(2, b"another", len(HELLO[2])),
        MessageKey(5, b"5.base", 9),
    ]
    index.compare(INBOX, 1, 10, there)
    index.trust(INBOX, begun)
    assert index.look_up(INBOX, sorted(HELLO), ASKED) == ({1}, {2, 5})


def test_another_uidvalidity_is_another_mailbox(index: FullTextIndex):
    put(index, INBOX, HELLO)
    trust(index, MailboxKey(b"", 2), {})
    assert index.look_up(MailboxKey(b"", 2), sorted(HELLO), ASKED) == (set(), set(HELLO))


def test_a_renamed_mailbox_keeps_its_texts(index: FullTextIndex):
    put(index, MailboxKey(b".Old", 7), HELLO)
    trust(index, MailboxKey(b".New", 7), HELLO)
    assert hits(index, MailboxKey(b".New", 7)) == {1, 2}


def test_a_mailbox_of_equal_uidvalidity_keeps_its_texts_to_itself(index: FullTextIndex):
    old, new = MailboxKey(b".Old", 7), MailboxKey(b".New", 7)
    put(index, old, HELLO)
    assert index.begin(new, [old, new]) is None
    assert hits(index, new) == frozenset()
    trust(index, old, HELLO)
    assert hits(index, old) == {1, 2}


def test_a_message_that_is_put_again_stands_once(index: FullTextIndex):
    put(index, INBOX, HELLO)
    put(index, INBOX, HELLO)
    put(index, INBOX, {2: b"\n\nnow this is of another length"})
    trust(index, INBOX, HELLO | {2: b"\n\nnow this is of another length"})
    assert index.look_up(INBOX, sorted(HELLO), ASKED) == ({1}, frozenset())


def test_forgotten_messages_are_unknown(index: FullTextIndex):
    put(index, INBOX, HELLO)
    trust(index, INBOX, HELLO)
    index.forget(INBOX, [1, 99])
    assert index.look_up(INBOX, sorted(HELLO), ASKED) == ({2}, {1})
    assert index.mismatches(INBOX, [1, 2]) == ([1], [5])


def test_mailboxes_that_are_no_more_are_forgotten_piece_by_piece(
    index: FullTextIndex, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("twisted_mail.store.search.fulltext._FORGOTTEN", 2)
    put(index, INBOX, HELLO)
    put(index, MailboxKey(b".Gone", 3), HELLO)
    rounds = 0
    while index.forget_some([INBOX]):
        rounds += 1
    assert rounds == 2
    assert index.mismatches(INBOX, HELLO) == ([], [])
    assert index.mismatches(MailboxKey(b".Gone", 3), HELLO) == (sorted(HELLO), [])


@pytest.fixture
def other(path: Path) -> Iterator[FullTextIndex]:
    """The index of another process."""
    made = FullTextIndex(Disk(), os.fsencode(path))
    yield made
    made.close()


def doubtful(index: FullTextIndex, place: MailboxKey = INBOX) -> tuple[int, int] | None:
    """Return between which UIDs a mailbox is to be compared."""
    found = index.begin(place, [INBOX, SENT])
    return found and (found.first, found.last)


def test_what_another_process_adds_is_compared_and_nothing_else(
    index: FullTextIndex, other: FullTextIndex
):
    put(index, INBOX, HELLO)
    put(index, SENT, HELLO)
    trust(index, INBOX, HELLO)
    trust(index, SENT, HELLO)
    put(other, INBOX, {7: HELLO[1], 9: HELLO[1]})
    assert hits(index) is None
    assert doubtful(index) == (7, 9)
    assert hits(index, SENT) == {1, 2}
    assert doubtful(index, SENT) is None
    trust(index, INBOX, HELLO | {7: HELLO[1], 9: HELLO[1]})
    assert hits(index, INBOX, 1, 7, 9) == {1, 7, 9}


def test_what_another_process_forgets_needs_no_comparison(
    index: FullTextIndex, other: FullTextIndex
):
    put(index, INBOX, HELLO)
    trust(index, INBOX, HELLO)
    other.forget(INBOX, [1])
    assert index.look_up(INBOX, sorted(HELLO), ASKED) == ({2}, {1})


def test_a_comparison_says_nothing_of_what_comes_after_its_beginning(
    index: FullTextIndex, other: FullTextIndex
):
    put(index, INBOX, HELLO)
    begun = index.begin(INBOX, [INBOX])
    assert begun is not None
    put(other, INBOX, {3: HELLO[1]})
    index.trust(INBOX, begun)
    assert hits(index) is None
    assert doubtful(index) == (3, 3)


def test_a_comparison_says_nothing_of_another_file(index: FullTextIndex):
    put(index, INBOX, HELLO)
    begun = index.begin(INBOX, [INBOX])
    assert begun is not None
    index.close()
    index.trust(INBOX, begun)
    assert hits(index) is None


def test_what_this_process_adds_needs_no_comparison(index: FullTextIndex):
    trust(index, INBOX, {})
    for uid, data in HELLO.items():
        put(index, INBOX, {uid: data})
        put(index, SENT, {uid: data})
    assert hits(index) == {1, 2}
    assert doubtful(index, SENT) == (1, MAX_NUMBER)


def test_another_message_that_another_process_puts_under_a_uid_is_found_out(
    index: FullTextIndex, other: FullTextIndex
):
    put(index, INBOX, HELLO)
    trust(index, INBOX, HELLO)
    put(other, INBOX, {5: HELLO[1] + b"of another length"})
    trust(index, INBOX, HELLO)
    assert index.look_up(INBOX, sorted(HELLO), ASKED) == ({1, 2}, {5})


def test_after_very_many_additions_all_is_compared(
    index: FullTextIndex, other: FullTextIndex, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(indexed_messages, "KEPT_ADDITIONS", 3)
    put(index, INBOX, HELLO)
    trust(index, INBOX, HELLO)
    trust(index, SENT, {})
    for uid in (11, 12, 13):
        put(other, INBOX, {uid: HELLO[1]})
    assert doubtful(index) == (11, 13)
    put(other, INBOX, {14: HELLO[1]})
    assert doubtful(index) == doubtful(index, INBOX) == (1, MAX_NUMBER)
    assert doubtful(index, SENT) is None  # of which nothing is known


def test_a_mailbox_that_another_process_found_renamed_is_compared(
    index: FullTextIndex, other: FullTextIndex
):
    old, new = MailboxKey(b".Old", 7), MailboxKey(b".New", 7)
    put(other, old, HELLO)
    assert index.begin(new, [old, new]) is None
    other.begin(new, [new])
    assert index.look_up(new, sorted(HELLO), ASKED) is None


def test_the_database_may_be_closed_at_any_time(index: FullTextIndex):
    put(index, INBOX, HELLO)
    trust(index, INBOX, HELLO)
    index.close()
    assert hits(index) is None
    trust(index, INBOX, HELLO)
    assert hits(index) == {1, 2}


# ---------------------------------------------------------------- trouble


def overwrite(path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def alter(*statements: str) -> Callable[[Path], None]:
    def act(path: Path) -> None:
        with sqlite3.connect(path) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    return act


@pytest.mark.parametrize(
    "damage",
    [
        overwrite,
        cut,
        alter("DROP TABLE messages"),
        alter("UPDATE about SET made = 'later'"),
        alter("DELETE FROM about"),
        alter("UPDATE bodies_data SET block = x'00'"),
    ],
)
def test_a_damaged_database_is_made_again(
    index: FullTextIndex, path: Path, damage: Callable[[Path], None]
):
    put(index, INBOX, HELLO)
    index.close()
    damage(path)
    for _ in range(5):
        found = index.attempt(index.look_up, INBOX, sorted(HELLO), ASKED)
        if found is not None:
            break
        index.attempt(trust, index, INBOX, HELLO)
    assert found is not None
    assert found.hits <= {1, 2}
    assert found.hits | found.unknown >= {1, 2}
    index.attempt(put, index, INBOX, HELLO)
    index.attempt(trust, index, INBOX, HELLO)
    assert hits(index) == {1, 2}


def test_no_octet_of_the_file_changes_unseen(tmp_path: Path):
    there = corpus(120)
    asked = substring_query(Contains("text", "alpha beta"))
    right = {uid for uid, data in there.items() if matches(data, Contains("text", "alpha beta"))}
    path = tmp_path / "search.sqlite3"
    index = FullTextIndex(Disk(), os.fsencode(path))
    put(index, INBOX, there)
    index.close()
    whole = path.read_bytes()
    chance = random.Random(3)
    for _ in range(60):
        at = chance.randrange(len(whole))
        path.write_bytes(
            whole[:at] + bytes([whole[at] ^ chance.randrange(1, 256)]) + whole[at + 1 :]
        )
        index.attempt(trust, index, INBOX, there)
        found = index.attempt(index.look_up, INBOX, sorted(there), asked)
        if found is not None:
            assert found.hits <= right <= found.hits | found.unknown
        index.close()


def test_a_busy_database_is_no_answer_and_no_damage(index: FullTextIndex, path: Path):
    put(index, INBOX, HELLO)
    blocker = checksums.connect(Disk(), str(path))
    blocker.execute("BEGIN IMMEDIATE")
    assert index.attempt(index.forget, INBOX, [1]) is None
    blocker.execute("ROLLBACK")
    blocker.close()
    trust(index, INBOX, HELLO)
    assert hits(index) == {1, 2}


def test_where_there_can_be_no_database_there_is_no_answer(tmp_path: Path):
    index = FullTextIndex(Disk(), os.fsencode(tmp_path / "no" / "such" / "folder"))
    assert index.attempt(index.begin, INBOX, []) is None


def test_text_that_cannot_be_stored_harms_nothing(index: FullTextIndex):
    found = searchable(b"\n\nhello")._replace(body="hello \ud800 \0 hello")
    new = IndexedContent(identity(1), fields_in(b""), text_of(found, LIMIT))
    index.add(INBOX, [new])
    trust(index, INBOX, {1: b""})
    assert hits(index, INBOX, 1) == {1}


def test_a_piece_that_is_in_very_many_words_is_left_to_the_messages(
    index: FullTextIndex, monkeypatch: pytest.MonkeyPatch
):
    messages = {
        uid: b"\r\n" + b" ".join(b"%dalice%d" % (uid, word) for word in range(50)) for uid in (1, 2)
    }
    put(index, INBOX, messages)
    trust(index, INBOX, messages)
    monkeypatch.setattr(fulltext, "WORDS_AT_LEAST", 20)
    monkeypatch.setattr(fulltext, "WORDS_OF_MESSAGE", 40)
    assert check(index, INBOX, messages, Contains("body", "alice")) == ({1, 2}, set())
    monkeypatch.setattr(fulltext, "WORDS_OF_MESSAGE", 39)
    assert check(index, INBOX, messages, Contains("body", "alice")) == (set(), {1, 2})
    assert check(index, INBOX, messages, Contains("text", "alice")) == (set(), {1, 2})
    monkeypatch.setattr(word_tables, "FEW_CANDIDATES", 0)  # what comes first says enough
    assert check(index, INBOX, messages, Contains("body", "alice49 1alice")) == (set(), {1})
