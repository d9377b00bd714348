from tests.imap.talk import MAIL, House


def test_status_counts_octets() -> None:
    house = House()
    house.put()
    house.put()
    lines = house.inside("a STATUS inbox (SIZE MESSAGES)", "b STATUS Sent (size)")
    assert lines[0] == f"* STATUS INBOX (SIZE {2 * len(MAIL)} MESSAGES 2)"
    assert lines[2] == "* STATUS Sent (SIZE 0)"
