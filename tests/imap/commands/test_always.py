from tests.imap.talk import ImapFixture
from twisted_mail.testing.doubles import finish


def test_capability_lists_the_capabilities() -> None:
    lines = ImapFixture().talk("a CAPABILITY")
    assert lines[0] == "* CAPABILITY IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN AUTH=LOGIN ENABLE ID"
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
