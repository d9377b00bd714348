"""Return options of LIST, as an extension brings them."""

from tests.imap.talk import ImapFixture
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.extensions.table import make_tables
from twisted_mail.imap.mailboxes.return_options import ListContext, ReturnOption
from twisted_mail.mail.mailbox.entry import MailboxInfo
from twisted_mail.mail.outcome import Unavailable


async def _respond(context: ListContext, info: MailboxInfo, word: str) -> bytes:
    if info.name == "Sent":
        raise Unavailable("not now")
    return f"X-WORD {info.name} {word}".encode()


def _read(reader: object, known: object) -> str:
    reader.space()  # type: ignore[attr-defined]
    return reader.atom()  # type: ignore[attr-defined,no-any-return]


OPTIONS = Extension(
    "X",
    return_options=(
        ReturnOption("X-WORD", read=_read, respond=_respond),
        ReturnOption("X-LONG", attribute=lambda info: "\\X-Long" if len(info.name) > 4 else ""),
    ),
)


def listed(arguments: str) -> list[str]:
    imap = ImapFixture()
    imap.tables = make_tables([OPTIONS])
    return imap.inside(f"a LIST {arguments}")


def test_an_option_adds_an_answer_for_each_mailbox() -> None:
    assert listed('"" (INBOX Junk) RETURN (X-WORD hello)') == [
        '* LIST (\\HasNoChildren) "/" INBOX',
        "* X-WORD INBOX hello",
        '* LIST (\\HasNoChildren \\Junk) "/" Junk',
        "* X-WORD Junk hello",
        "a OK LIST completed.",
    ]


def test_an_answer_that_fails_is_left_out() -> None:
    assert listed('"" Sent RETURN (X-WORD hello)') == [
        '* LIST (\\HasNoChildren \\Sent) "/" Sent',
        "a OK LIST completed.",
    ]


def test_an_option_adds_an_attribute() -> None:
    assert listed('"" (Sent INBOX) RETURN (X-LONG SUBSCRIBED)')[:2] == [
        '* LIST (\\HasNoChildren \\X-Long \\Subscribed) "/" INBOX',
        '* LIST (\\HasNoChildren \\Sent \\Subscribed) "/" Sent',
    ]


def test_an_option_may_want_an_argument() -> None:
    assert listed('"" INBOX RETURN (X-WORD)')[0].startswith("a BAD")
