"""twisted-mail alias."""

from tests.control.terminal import Terminal


def test_aliases_are_edited(server: Terminal) -> None:
    targets = ("alice@example.org", "x@elsewhere.example")
    assert server("alias", "add", "team@example.org", *targets) == 0
    assert server.json("alias", "list")["aliases"] == [
        {"address": "team@example.org", "targets": list(targets)}
    ]
    assert server("alias", "remove", "team@example.org", "x@elsewhere.example") == 0
    assert "leads to alice@example.org" in server.out
    assert server("alias", "remove", "team@example.org") == 0
    assert server("alias", "list") == 0
    assert server.out == "there are no aliases\n"
