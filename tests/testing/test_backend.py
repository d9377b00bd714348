"""The parts of a server in memory that are its own."""

from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.address import parse
from twisted_mail.mail.route import LocalRoute, NoRoute
from twisted_mail.testing.backend import OpenRouter
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.server import MailServer

ALICE = "alice@example.org"
FAR = parse("someone@elsewhere.example")
ROUTER = OpenRouter(
    LocalRouter(FixedDirectory({ALICE: ""}, {"both@example.org": [parse(ALICE), FAR]}))
)


def test_mail_for_elsewhere_stays() -> None:
    assert finish(ROUTER.route(FAR)) == LocalRoute(())
    assert finish(ROUTER.route(parse("both@example.org"))) == LocalRoute((ALICE,))
    assert isinstance(finish(ROUTER.route(parse("nobody@example.org"))), NoRoute)


def test_its_way_is_explained() -> None:
    route, steps = finish(ROUTER.explain(FAR))
    assert route == LocalRoute(())
    assert steps


def test_the_part_of_an_alias_that_is_here_is_delivered() -> None:
    with MailServer(aliases={"both@example.org": [ALICE, str(FAR)]}) as server:
        client = server.connect("smtp")
        client.command("HELO c", "MAIL FROM:<>", "RCPT TO:<both@example.org>", "DATA")
        client.command("hi", ".")
        assert len(server.mailbox(ALICE)) == len(server.messages) == 1


def test_a_message_nobody_gets_by_lmtp_is_not_recorded() -> None:
    with MailServer(settings={"lmtp": {"max_size": 10}}) as server:
        client = server.connect("lmtp")
        client.command("LHLO c", "MAIL FROM:<>", f"RCPT TO:<{ALICE}>", "DATA")
        assert client.command("x" * 100, ".")[0].startswith("552")
        assert not server.messages
