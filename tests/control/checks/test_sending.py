"""How others see us when we send, and the files that sending needs."""

from pathlib import Path

import pytest

from twisted_mail.config import Config
from twisted_mail.control.checks.sending import (
    dane_note,
    sending_file_notes,
    sending_notes,
    source_addresses,
)
from twisted_mail.control.setup.certificates import make
from twisted_mail.delivery.onward.settings import SendingSettings
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.resolver import FakeResolver

HOST, OURS = "mail.example.org", "8.8.8.8"


def good() -> FakeResolver:
    return FakeResolver().add(HOST, "A", OURS).add(OURS, "PTR", "Mail.Example.org.")


def warnings(resolver: FakeResolver, hostname: str = HOST, *sources: str) -> list[str]:
    notes = finish(sending_notes(resolver, hostname, sources or (OURS,)))
    assert {note.level for note in notes} <= {"fine", "warning"}
    return [note.text for note in notes if note.level == "warning"]


def without(name: str, kind: str) -> FakeResolver:
    resolver = good()
    del resolver.records[name, kind]
    return resolver


def test_a_name_that_leads_there_and_back_is_fine() -> None:
    assert warnings(good()) == []


@pytest.mark.parametrize(
    ("resolver", "words"),
    [
        (without(OURS, "PTR"), "has no reverse name (PTR)"),
        (without(HOST, "A"), "does not lead back to it"),
        (without(HOST, "A"), "which has no address"),
        (
            without(OURS, "PTR").add(OURS, "PTR", "x.isp.example").add("x.isp.example", "A", OURS),
            "is x.isp.example, and we greet as mail.example.org",
        ),
    ],
)
def test_what_others_refuse_is_named(resolver: FakeResolver, words: str) -> None:
    assert any(words in text for text in warnings(resolver))


def test_one_of_several_reverse_names_is_enough() -> None:
    resolver = without(OURS, "PTR").add(OURS, "PTR", "other.example", HOST)
    assert warnings(resolver) == []


def test_an_address_that_is_translated_is_for_the_operator_to_look_up() -> None:
    [text] = warnings(good(), HOST, "10.0.0.5")
    assert "10.0.0.5, which is translated" in text


def test_a_short_name_and_a_machine_without_a_route_are_named() -> None:
    notes = finish(sending_notes(good(), "mail", ()))
    assert [note.text.partition(":")[0] for note in notes] == [
        "we greet as mail, which is not a full name",
        "this machine has no route to the internet",
    ]


def test_a_dns_that_is_silent_is_no_verdict() -> None:
    resolver = good()
    resolver.broken = {HOST, OURS}
    assert all("the DNS does not answer for" in text for text in warnings(resolver))
    assert len(warnings(resolver)) == 2


def test_the_addresses_of_this_machine_are_found_without_a_packet() -> None:
    assert all(isinstance(one, str) and one for one in source_addresses())


def file_notes(state: Path, **settings: str) -> list[tuple[str, str]]:
    sending = SendingSettings(relay="smtp://relay.example", **settings)
    config = Config(state / "mail.toml", HOST, state, sending=sending)
    return [(one.level, one.text) for one in sending_file_notes(config)]


def test_a_relay_without_a_login_needs_no_file(tmp_path: Path) -> None:
    assert file_notes(tmp_path) == []


def test_the_login_for_the_relay_is_read_and_its_password_never_shown(tmp_path: Path) -> None:
    login = tmp_path / "relay"
    [(level, text)] = file_notes(tmp_path, relay_login="relay")
    assert level == "fault"
    assert text.startswith(f"{login}: No such file or directory ([sending] relay_login")
    login.write_text("us\nsecret\n")
    login.chmod(0o644)
    (level, text), fine = file_notes(tmp_path, relay_login="relay")
    assert (level, text.endswith(f"chmod 600 {login}")) == ("warning", True)
    assert fine == ("fine", f"{login} has the login of us for the relay")
    login.chmod(0o600)
    login.write_text("secret\n")
    [(level, text)] = file_notes(tmp_path, relay_login="relay")
    assert (level, "it must have two lines" in text, "secret" in text) == ("fault", True, False)


def test_authorities_have_to_be_certificates(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    assert [level for level, _ in file_notes(tmp_path, authorities="ca.pem")] == ["fault"]
    assert [level for level, _ in file_notes(tmp_path, authorities="none.pem")] == ["fault"]
    path = make(tmp_path / "tls", HOST)
    assert [level for level, _ in file_notes(tmp_path, authorities=str(path))] == ["fine"]


def test_a_resolver_that_vouches_for_nothing_is_named() -> None:
    resolver = FakeResolver()
    assert "no resolver on this host validates" in finish(dane_note(resolver)).text
    resolver.broken.add("org")
    assert "validates" not in finish(dane_note(resolver)).text
    resolver.broken.clear()
    resolver.signed.add("org")
    assert finish(dane_note(resolver)).text.endswith("TLSA records count (DANE)")
