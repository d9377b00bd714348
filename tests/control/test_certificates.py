"""twisted-mail certificate."""

from tests.control.terminal import Terminal


def test_certificates_are_listed_and_renewed(server: Terminal) -> None:
    (before,) = server.json("certificate", "list")["certificates"]
    assert before["faults"] == []
    assert server("certificate", "renew") == 0
    assert server("certificate", "list") == 0
    assert "mail.example.org.pem" in server.out
    (server.folder / "state" / "tls" / "authority.key").unlink()
    assert server("certificate", "renew") == 1
    assert "authority.key is missing" in server.err
