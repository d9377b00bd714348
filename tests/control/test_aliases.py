"""twisted-mail alias."""

from tests.control.terminal import Terminal

ALICE = "alice@example.org"


def test_aliases_are_edited(server: Terminal) -> None:
    targets = ("alice@example.org", "alice+x@example.org")
    assert server("alias", "add", "team@example.org", *targets) == 0
    assert server.json("alias", "list")["aliases"] == [
        {"address": "team@example.org", "targets": list(targets)}
    ]
    assert server("alias", "remove", "team@example.org", "alice+x@example.org") == 0
    assert "leads to alice@example.org" in server.out
    assert server("alias", "remove", "team@example.org") == 0
    assert server("alias", "list") == 0
    assert server.out == "there are no aliases\n"


def test_what_cannot_be_delivered_is_not_made_and_is_found(server: Terminal) -> None:
    assert server("alias", "add", "team@example.org", ALICE, "bob@example.org") == 1
    assert "there is no account, alias or list bob@example.org" in server.err
    assert server("alias", "list") == 0
    assert server.out == "there are no aliases\n"
    server("domain", "add", "example.net")
    server("alias", "add", "@example.net", ALICE)
    server("alias", "add", "team@example.org", ALICE, "bob@example.net")
    server("alias", "remove", "@example.net")
    server("check")
    text = "team@example.org: the alias leads to bob@example.net, who is not here"
    assert text in server.out


def test_an_alias_may_lead_to_other_hosts(server: Terminal) -> None:
    assert server("alias", "add", "team@example.org", ALICE, "bob@elsewhere.example") == 0
    assert "bob@elsewhere.example" in server.out
