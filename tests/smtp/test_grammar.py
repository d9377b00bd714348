from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.address import NULL, Address
from twisted_mail.mail.outcome import ProtocolError
from twisted_mail.smtp.grammar import (
    MailParameters,
    parse_command,
    parse_hello,
    parse_mail,
    parse_mailbox,
    parse_rcpt,
    read_mail_parameters,
)


def refusal(parse: object, *arguments: object) -> tuple[int, str]:
    with pytest.raises(ProtocolError) as caught:
        parse(*arguments)  # type: ignore[operator]
    return caught.value.outcome.code, caught.value.outcome.enhanced


def test_verbs_have_no_case_and_spaces_at_the_end_do_not_count() -> None:
    assert parse_command(b"noop") == (b"NOOP", b"")
    assert parse_command(b"QUIT \t ") == (b"QUIT", b"")
    assert parse_command(b"Mail FROM:<a@b>  ") == (b"MAIL", b"FROM:<a@b>")


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        (b"FROM:<a@b.example>", Address("a", "b.example")),
        (b"from:<a@B.EXAMPLE>", Address("a", "b.example")),
        (b"FROM: <a@b.example>", Address("a", "b.example")),
        (b"FROM:<>", NULL),
        (b"FROM: <>", NULL),
        (b'FROM:<"a b"@c.example>', Address("a b", "c.example")),
        (b'FROM:<"a>\\"<b"@c.example>', Address('a>"<b', "c.example")),
        (b'FROM:<"Joe\\,Smith"@c.example>', Address("Joe,Smith", "c.example")),
        (b"FROM:<a@[192.0.2.1]>", Address("a", "[192.0.2.1]")),
        (b"FROM:<a@[IPv6:2001:DB8::1]>", Address("a", "[IPv6:2001:db8::1]")),
        (b"FROM:<@hosta.int,@jkl.org:userc@d.bar.org>", Address("userc", "d.bar.org")),
        (b"FROM:<e=mc2@example.com>", Address("e=mc2", "example.com")),
    ],
)
def test_senders(argument: bytes, address: Address) -> None:
    assert parse_mail(argument) == (address, {})


@pytest.mark.parametrize(
    "argument",
    [
        b"",
        b"FROM",
        b"FROM:",
        b"FROM a@b.example",
        b"FROM:a@b.example",
        b"FROM:<a@b.example",
        b"FROM:<a>",
        b"FROM:<a@>",
        b"FROM:<@b.example>",
        b"FROM:<a b@c.example>",
        b"FROM:<a@b@c.example>",
        b"FROM:<<a@b.example>>",
        b'FROM:<"a@b.example>',
        b"FROM:<a@b..example>",
        b"FROM:<a@[192.0.2.256]>",
        b"FROM:<@a.example;@b.example:c@d.example>",
        b"FROM:<@a.example,b.example:c@d.example>",
        b"FROM:<\xe4@b.example>",
        b"FROM:<a\0@b.example>",
        b"FROM:<" + b"a" * 65 + b"@b.example>",
        b"FROM:<a@b.example>SIZE=1",
        b"FROM:<a@b.example> SIZE=1 SIZE=1",
        b"FROM:<a@b.example> =1",
        b"FROM:<a@b.example> SIZE=",
        b"FROM:<a@b.example> SIZE=1=2",
        b"FROM:<a@b.example> -",
    ],
)
def test_malformed_mail_commands_are_501(argument: bytes) -> None:
    assert refusal(parse_mail, argument)[0] == 501


def test_postmaster_needs_no_domain() -> None:
    assert parse_rcpt(b"TO:<PostMaster>") == (Address("postmaster", ""), {})


@pytest.mark.parametrize("argument", [b"TO:<>", b"TO:<alice>", b"FROM:<a@b.example>", b"TO: <>"])
def test_malformed_recipients_are_501(argument: bytes) -> None:
    assert refusal(parse_rcpt, argument)[0] == 501


def test_the_enhanced_code_tells_sender_from_recipient() -> None:
    assert refusal(parse_mail, b"FROM:<x>") == (501, "5.1.7")
    assert refusal(parse_rcpt, b"TO:<x>") == (501, "5.1.3")


def test_parameters_have_names_without_case() -> None:
    _, parameters = parse_mail(b"FROM:<> size=12  Body=8bitMIME AUTH=<>")
    assert parameters == {"SIZE": "12", "BODY": "8bitMIME", "AUTH": "<>"}
    assert read_mail_parameters(parameters, offers_auth=True) == MailParameters(12, True)


def test_body_7bit_promises_nothing() -> None:
    assert read_mail_parameters({"BODY": "7BIT"}, offers_auth=False) == MailParameters()


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"SMTPUTF8": None}, 555),
        ({"SIZE": "1", "FOO": "x"}, 555),
        ({"SIZE": None}, 501),
        ({"SIZE": "-1"}, 501),
        ({"SIZE": "9" * 21}, 501),
        ({"BODY": None}, 501),
        ({"BODY": "BINARYMIME"}, 501),
        ({"AUTH": None}, 501),
        ({"AUTH": "a+4"}, 501),
        ({"AUTH": "nobody"}, 501),
    ],
)
def test_parameters_that_are_refused(parameters: dict[str, str | None], code: int) -> None:
    assert refusal(read_mail_parameters, parameters, True) == (code, "5.5.4")


def test_auth_is_unknown_where_no_login_is_offered() -> None:
    assert refusal(read_mail_parameters, {"AUTH": "<>"}, False) == (555, "5.5.4")


def test_auth_is_an_address_in_xtext() -> None:
    parameters = {"AUTH": "e+3Dmc2@example.com"}
    assert read_mail_parameters(parameters, offers_auth=True) == MailParameters()


@pytest.mark.parametrize("name", [b"x", b"[192.0.2.1]", b"DESKTOP_1", b"localhost", b"a b"])
def test_clients_may_call_themselves_what_they_like(name: bytes) -> None:
    assert parse_hello(name) == name.decode()


@pytest.mark.parametrize("name", [b"", b"a\0b", b"\xe4", b"x" * 256])
def test_but_not_everything_is_a_name(name: bytes) -> None:
    assert refusal(parse_hello, name) == (501, "5.5.4")


def test_enquiries_take_addresses_with_and_without_brackets() -> None:
    assert parse_mailbox(b"<a@b.example>") == parse_mailbox(b"a@b.example")


LOCALS = st.text("ab.\"\\ <>@,:'", min_size=1, max_size=20)


@given(LOCALS)
def test_every_address_survives_a_path(local: str) -> None:
    address = Address(local, "b.example")
    assert parse_rcpt(f"TO:<{address}> X=1".encode()) == (address, {"X": "1"})
    assert parse_mail(f"FROM:<@r.example:{address}>".encode()) == (address, {})


@given(st.binary(max_size=60))
def test_no_argument_does_worse_than_a_refusal(argument: bytes) -> None:
    for parse in (
        lambda: parse_mail(b"FROM:" + argument),
        lambda: parse_rcpt(b"TO:<" + argument),
        lambda: parse_hello(argument),
        lambda: parse_mailbox(argument),
        lambda: parse_command(argument),
    ):
        with suppress(ProtocolError):
            parse()


@pytest.mark.parametrize(
    "text", [b'"\\' * 600, b"<" * 1200, b"@a," * 600, b"a." * 900, b"a=" * 900]
)
def test_long_arguments_cost_no_more_than_their_length(text: bytes) -> None:
    assert refusal(parse_mail, b"FROM:<" + text)[0] == 501
