from tests.imap.talk import MAIL, ImapFixture


def test_status_counts_octets() -> None:
    imap = ImapFixture()
    imap.put()
    imap.put()
    lines = imap.inside("a STATUS inbox (SIZE MESSAGES)", "b STATUS Sent (size)")
    assert lines[0] == f"* STATUS INBOX (SIZE {2 * len(MAIL)} MESSAGES 2)"
    assert lines[2] == "* STATUS Sent (SIZE 0)"
