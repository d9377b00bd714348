import pytest

from tests.imap.talk import ImapFixture
from twisted_mail.imap.capabilities import Capability
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.extensions.table import make_tables
from twisted_mail.testing.doubles import finish


def test_capability_lists_the_capabilities() -> None:
    lines = ImapFixture().talk("a CAPABILITY")
    assert lines[0] == "* CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE AUTH=PLAIN AUTH=LOGIN"
    assert lines[1] == "a OK CAPABILITY completed."


def test_noop_looks_for_what_other_programs_did() -> None:
    imap = ImapFixture()
    loop = imap.loop("0 LOGIN alice secret", "a SELECT INBOX", "b NOOP")
    looks: list[str] = []

    def watch_refresh() -> None:
        box = loop.session.require_selected().mailbox

        async def refresh() -> None:
            looks.append("looked")

        box.refresh = refresh  # type: ignore[method-assign]

    loop.session.wire.script.insert(2, watch_refresh)  # type: ignore[attr-defined]
    finish(loop.run())
    assert looks == ["looked"]


def test_logout_gives_everything_back() -> None:
    imap = ImapFixture()
    assert imap.inside("a SELECT INBOX", "b LOGOUT")[-2:] == [
        "* BYE Logging out",
        "b OK LOGOUT completed.",
    ]
    assert imap.faces[0].is_out


@pytest.mark.parametrize(
    "arguments",
    [
        "NIL",
        "()",
        '("name" "sodr")',
        '("name" "sodr" "version" NIL)',
        "(" + " ".join(['"a" "b"'] * 30) + ")",
    ],
)
def test_id_takes_a_list_or_nil(arguments: str) -> None:
    lines = ImapFixture().talk(f"a ID {arguments}")
    assert lines == ['* ID ("name" "twisted-mail")', "a OK ID completed."]


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        '"name"',
        '("name")',
        '("name" "x"',
        "(NIL NIL)",
        '("' + "n" * 31 + '" "x")',
        '("name" "' + "n" * 1025 + '")',
        "(" + " ".join(['"a" "b"'] * 31) + ")",
    ],
)
def test_id_refuses_anything_else(arguments: str) -> None:
    [line] = ImapFixture().talk(f"a ID {arguments}")
    assert line.startswith("a BAD")


def test_a_server_may_keep_its_name_to_itself() -> None:
    assert ImapFixture(identity="").talk("a ID NIL")[0] == "* ID NIL"  # type: ignore[arg-type]


def test_enable_passes_over_what_is_unknown() -> None:
    assert ImapFixture().inside("a ENABLE X-THIS X-THAT")[0] == "* ENABLED"
    imap = ImapFixture()
    this = Extension("X-THIS", capabilities=(Capability("X-THIS", is_enableable=True),))
    imap.tables = make_tables([this])
    loop = imap.loop("0 LOGIN alice secret", "a ENABLE x-that x-this x-this")
    finish(loop.run())
    assert b"* ENABLED X-THIS\r\n" in loop.session.wire.written  # type: ignore[attr-defined]
    assert loop.session.enabled == {"X-THIS"}


def test_enable_wants_a_name() -> None:
    assert ImapFixture().inside("a ENABLE")[0].startswith("a BAD")
