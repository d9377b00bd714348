from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.address import NULL, Address
from twisted_mail.mail.outcome import ProtocolError
from twisted_mail.smtp.grammar import (
    MAX_HELLO,
    VrfyArgument,
    parse_chunk,
    parse_hello,
    parse_mail,
    parse_rcpt,
    parse_vrfy,
)


def refusal(parse: object, *arguments: object) -> tuple[int, str]:
    with pytest.raises(ProtocolError) as caught:
        parse(*arguments)  # type: ignore[operator]
    return caught.value.outcome.code, caught.value.outcome.enhanced


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
        (b"FROM:\t< a@b.example >", Address("a", "b.example")),
        (b"FROM:<foo..bar@b.example>", Address("foo..bar", "b.example")),
        (b"FROM:<trail.@b.example>", Address("trail.", "b.example")),
        (b"FROM:<a@b.example.>", Address("a", "b.example")),
        (b"FROM:<a@_spf.b.example>", Address("a", "_spf.b.example")),
        (b"FROM:<" + b"a" * 256 + b"@b.example>", Address("a" * 256, "b.example")),
        (b"FROM:a@b.example", Address("a", "b.example")),
        (b"FROM: a@b.example", Address("a", "b.example")),
        (b'FROM:"a b"@c.example', Address("a b", "c.example")),
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
        b"FROM:a",
        b"FROM:a@b.example>",
        b"FROM:@b.example:c@d.example",
        b"FROM: SIZE=1",
        b"FROM:<a@b.example",
        b"FROM:<a>",
        b"FROM:<a@>",
        b"FROM:<@b.example>",
        b"FROM:<a b@c.example>",
        b"FROM:<a@b@c.example>",
        b"FROM:<<a@b.example>>",
        b'FROM:<"a@b.example>',
        b"FROM:<a@b..example>",
        b"FROM:<a@b.example..>",
        b"FROM:<a@.>",
        b"FROM:<.@b.example\x0b>",
        b"FROM:< a @b.example>",
        b"FROM:<a@b.example> SIZE=1\x0bBODY=8BITMIME",
        b"FROM:<a@b.example>\x0bSIZE=1",
        b"FROM:<a@[192.0.2.256]>",
        b"FROM:<@a.example;@b.example:c@d.example>",
        b"FROM:<@a.example,b.example:c@d.example>",
        b"FROM:<\xe4@b.example> SMTPUTF8",
        b"FROM:<a\xc2\x85b@b.example> SMTPUTF8",
        b"FROM:<\xed\xa0\x80@b.example> SMTPUTF8",
        b"FROM:<a\0@b.example>",
        b"FROM:<" + b"a" * 257 + b"@b.example>",
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
    _, parameters = parse_mail(b"FROM:<> size=12  Body=8bitMIME\tAUTH=<>")
    assert parameters == {"SIZE": "12", "BODY": "8bitMIME", "AUTH": "<>"}


def test_brackets_may_be_demanded() -> None:
    assert refusal(parse_mail, b"FROM:a@b.example", True) == (501, "5.1.7")
    assert refusal(parse_rcpt, b"TO:a@b.example", False, True) == (501, "5.1.3")


# ------------------------------------------------------------ UTF-8 (RFC 6531)

JOSE = "jos\xe9@ex\xe4mple.org".encode()
JOSE_ADDRESS = Address("jos\xe9", "xn--exmple-cua.org")


def test_a_sender_in_utf8_needs_the_parameter() -> None:
    assert parse_mail(b"FROM:<%b> SMTPUTF8" % JOSE) == (JOSE_ADDRESS, {"SMTPUTF8": None})
    assert refusal(parse_mail, b"FROM:<%b>" % JOSE) == (550, "5.6.7")


def test_a_recipient_in_utf8_needs_it_as_well() -> None:
    assert parse_rcpt(b"TO:<%b>" % JOSE, is_utf8=True) == (JOSE_ADDRESS, {})
    assert refusal(parse_rcpt, b"TO:<%b>" % JOSE) == (553, "5.6.7")


def test_a_domain_in_utf8_is_enough_to_need_it() -> None:
    assert refusal(parse_rcpt, "TO:<a@ex\xe4mple.org>".encode()) == (553, "5.6.7")


def test_values_of_parameters_may_be_in_utf8() -> None:
    _, parameters = parse_rcpt("TO:<a@b.example> ORCPT=utf-8;jos\xe9@b.example".encode(), True)
    assert parameters == {"ORCPT": "utf-8;jos\xe9@b.example"}


def test_names_of_parameters_may_not() -> None:
    assert refusal(parse_rcpt, "TO:<a@b.example> \xe9=1".encode(), True) == (501, "5.5.4")


@given(st.text(st.characters(min_codepoint=0xA1, exclude_categories=["Z", "C"]), max_size=16))
def test_every_address_in_utf8_survives_a_path(local: str) -> None:
    address = Address(local or "\xe9", "b.example")
    assert parse_mail(f"FROM:<{address}> SMTPUTF8".encode())[0] == address
    assert parse_rcpt(f"TO:<{address}>".encode(), is_utf8=True)[0] == address


# ------------------------------------------------------------ other arguments


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "[192.0.2.1]",
        "[IPv6:2001:db8::1]",
        "[IPv6:",
        "[]",
        "DESKTOP_1",
        "localhost",
        "a b",
        "<script>",
        "bücher.example",
        "-.-",
        "x" * 255,
    ],
)
def test_clients_may_call_themselves_what_they_like(name: str) -> None:
    assert parse_hello(name.encode()) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"\xe4.example", "\\xe4.example"),
        (b"a\x1b[2Jb", "a\\x1b[2Jb"),
        (b"a\tb", "a\\tb"),
        ("\u202eelpmaxe".encode(), "\\u202eelpmaxe"),
        (b"x" * 2000, "x" * 255),
    ],
)
def test_what_nobody_could_read_of_a_name_is_escaped_or_left_out(name: bytes, shown: str) -> None:
    assert parse_hello(name) == shown


def test_a_client_gives_some_name() -> None:
    assert refusal(parse_hello, b"") == (501, "5.5.4")


@given(st.binary(min_size=1, max_size=300))
def test_every_name_can_be_shown(name: bytes) -> None:
    hello = parse_hello(name)
    assert hello.isprintable()
    assert 0 < len(hello) <= MAX_HELLO


@pytest.mark.parametrize("argument", [b"a@b.example", b"<a@b.example>"])
def test_enquiries_take_addresses_with_and_without_brackets(argument: bytes) -> None:
    assert parse_vrfy(argument) == VrfyArgument(Address("a", "b.example"))


def test_enquiries_take_names() -> None:
    assert parse_vrfy(b"alice") == VrfyArgument(Address("alice", ""))
    assert parse_vrfy(b'"al ice"') == VrfyArgument(Address("al ice", ""))


def test_enquiries_in_utf8_say_so() -> None:
    assert parse_vrfy(JOSE + b" smtputf8") == VrfyArgument(JOSE_ADDRESS, is_utf8=True)
    assert refusal(parse_vrfy, JOSE) == (553, "5.6.7")


@pytest.mark.parametrize(
    "argument",
    [
        *(b"a b", b"<a", b"@b", b"\xe9 SMTPUTF8", b"SMTPUTF8 SMTPUTF8 x"),
        *(b"<a@b.example", b"a@b.example>", b"<a@b.example> x"),
    ],
)
def test_malformed_enquiries(argument: bytes) -> None:
    assert refusal(parse_vrfy, argument) == (501, "5.1.3")


@pytest.mark.parametrize(
    ("argument", "chunk"),
    [
        (b"0", (0, False)),
        (b"86 LAST", (86, True)),
        (b"86  last", (86, True)),
        (b"1" * 19, (int("1" * 19), False)),
    ],
)
def test_chunks(argument: bytes, chunk: tuple[int, bool]) -> None:
    assert parse_chunk(argument) == chunk


@pytest.mark.parametrize(
    "argument",
    [b"", b"LAST", b"-1", b"+1", b"1x", b"1 LAST x", b"1LAST", b"1" * 20, b"\xb2", b"0x1"],
)
def test_malformed_chunks(argument: bytes) -> None:
    assert parse_chunk(argument) is None


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
        lambda: parse_vrfy(argument),
        lambda: parse_chunk(argument),
        lambda: parse_rcpt(b"TO:" + argument, is_utf8=True),
    ):
        with suppress(ProtocolError):
            parse()


@pytest.mark.parametrize(
    "text", [b'"\\' * 600, b"<" * 1200, b"@a," * 600, b"a." * 900, b"a=" * 900]
)
def test_long_arguments_cost_no_more_than_their_length(text: bytes) -> None:
    assert refusal(parse_mail, b"FROM:<" + text)[0] == 501
