from tests.imap.selected import SelectedSession, SmallMailbox
from tests.imap.talk import ImapFixture
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.extensions.table import make_tables
from twisted_mail.imap.mailboxes.responses import select_code


def test_a_code_without_a_value_is_left_out() -> None:
    selected = SelectedSession(SmallMailbox(b"one")).selected
    some = select_code("X-COUNT", lambda selected: b"%d" % len(selected.view), b"Messages")
    none = select_code("X-NONE", lambda selected: b"", b"Nothing")
    assert some.line(selected) == b"OK [X-COUNT 1] Messages"
    assert none.line(selected) == b""


def test_select_sends_what_an_extension_brings() -> None:
    code = select_code("X-COUNT", lambda selected: b"%d" % len(selected.view), b"Messages")
    imap = ImapFixture()
    imap.tables = make_tables([Extension("X", select_responses=(code,))])
    assert imap.inside("a EXAMINE INBOX")[-2] == "* OK [X-COUNT 0] Messages"
