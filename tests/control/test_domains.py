"""twisted-mail domain."""

from tests.control.terminal import Terminal


def test_domains_are_edited(server: Terminal) -> None:
    assert server("domain", "add", "Example.NET") == 0
    assert "example.net. IN MX 10 mail.example.org." in server.out
    assert [row["name"] for row in server.json("domain", "list")["domains"]] == [
        "example.net",
        "example.org",
    ]
    assert server("domain", "remove", "example.net") == 0
    assert server("domain", "remove", "example.org") == 1
