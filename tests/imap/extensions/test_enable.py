from tests.imap.talk import ImapFixture
from twisted_mail.imap.capabilities import Capability
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.extensions.table import make_tables
from twisted_mail.testing.doubles import finish


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
