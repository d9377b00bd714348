"""twisted-mail account may-send-as."""

from tests.control.terminal import Terminal

ALICE = "alice@example.org"


def test_an_account_is_allowed_to_send_as_others(server: Terminal) -> None:
    assert server("account", "may-send-as", ALICE) == 0
    assert server.out == "account alice@example.org may send as itself, its aliases\n"
    assert server("account", "may-send-as", ALICE, "office@example.org", "@private.example") == 0
    assert "and as @private.example, office@example.org" in server.out
    said = server.json("account", "may-send-as", ALICE, "--remove", "@private.example")
    assert said["may_send_as"] == ["office@example.org"]


def test_what_cannot_be_is_refused(server: Terminal) -> None:
    assert server("account", "may-send-as", "nobody@example.org", "x@example.org") == 1
    assert server("account", "may-send-as", ALICE, "--remove") == 2
    assert server("account", "may-send-as", ALICE, "--remove", "x@example.org") == 1
    assert "may not send as x@example.org anyway" in server.err
