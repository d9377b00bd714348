"""What check says of the postmaster."""

import pytest

from tests.control.terminal import Terminal


def notes(server: Terminal) -> list[tuple[str, str]]:
    found = server.json("check")["notes"]
    return [(one["level"], one["text"]) for one in found if one["subject"] == "postmaster"]


def name(server: Terminal, address: str) -> None:
    text = f'[addresses]\npostmaster = "{address}"\n'
    (server.folder / "mail.toml.d" / "postmaster.toml").write_text(text)


def test_a_postmaster_that_nobody_is_is_named_with_the_cure(server: Terminal) -> None:
    ((level, text),) = notes(server)
    assert level == "warning"
    assert "for <postmaster>, <postmaster@example.org>, and RFC 5321" in text
    assert "[addresses] postmaster = ..." in text


def test_the_postmaster_of_the_configuration_is_that_of_every_domain(server: Terminal) -> None:
    name(server, "alice@example.org")
    server("domain", "add", "example.net")
    ((level, text),) = notes(server)
    assert level == "fine"
    assert text == "its mail goes to alice@example.org (of no domain, example.net, example.org)"


def test_a_domain_may_have_another(server: Terminal) -> None:
    name(server, "alice@example.org")
    server("domain", "add", "example.net")
    server.type("secret\n")
    server("account", "add", "postmaster@example.net", "--password-stdin")
    assert notes(server) == [
        ("fine", "its mail goes to alice@example.org (of no domain, example.org)"),
        ("fine", "its mail goes to postmaster@example.net (of example.net)"),
    ]


@pytest.mark.parametrize("address", ["nobody@example.org", "alice@elsewhere.example"])
def test_a_postmaster_who_is_not_here_is_a_warning(server: Terminal, address: str) -> None:
    name(server, address)
    assert [level for level, _ in notes(server)] == ["warning", "warning"]
    assert f"mail for {address}, which mail.toml names, would come to nobody" in notes(server)[1][1]


@pytest.mark.parametrize("address", ["alice", "a b@example.org", "@example.org"])
def test_what_is_no_address_is_a_mistake(server: Terminal, address: str) -> None:
    name(server, address)
    assert server("check") == 2
    assert "postmaster" in server.err


def test_reports_for_somebody_who_is_not_here_are_a_warning(server: Terminal) -> None:
    name(server, "alice@example.org")
    reports = server.folder / "mail.toml.d" / "reports.toml"
    reports.write_text('[reports]\npostmaster = "nobody@example.org"\n')
    assert [text for level, text in notes(server) if level == "warning"] == [
        "reports for nobody@example.org, which [reports] postmaster names, would be refused here"
    ]
    reports.write_text('[reports]\npostmaster = "nobody"\n')
    assert server("check") != 0
    assert "postmaster 'nobody': an address needs an @" in server.err
