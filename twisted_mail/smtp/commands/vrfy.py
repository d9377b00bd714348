"""VRFY and EXPN: who is here (RFC 5321 §3.5).

Clients that the settings do not name get neither yes nor no: 252, as RFC 5321 §7.3 wants it from a server
that keeps its users' names to itself.
"""

from collections.abc import Sequence

from twisted_mail.mail.address import Address
from twisted_mail.mail.outcome import Outcome, ProtocolError
from twisted_mail.mail.route import NoRoute, RemoteRoute
from twisted_mail.smtp import grammar, replies
from twisted_mail.smtp.command_definition import Command
from twisted_mail.smtp.grammar import VrfyArgument
from twisted_mail.smtp.session import SmtpSession
from twisted_mail.smtp.settings import Audience

MAX_MEMBERS = 100  # lines of one answer


async def vrfy(session: SmtpSession, argument: bytes) -> None:
    """Answer VRFY address [SMTPUTF8]: truly to clients that the settings name."""
    wanted = await _permitted_argument(session, argument, session.settings.vrfy_for)
    if wanted is None:
        session.wire.write(replies.NOT_VERIFIED)
        return
    route = await session.backend.router.route(wanted.address)
    if isinstance(route, NoRoute):
        _reply_unknown(session, route.outcome)
    elif isinstance(route, RemoteRoute):
        session.wire.write(replies.NOT_VERIFIED)
    else:
        _reply_with_addresses(session, wanted, [wanted.address])


async def expn(session: SmtpSession, argument: bytes) -> None:
    """Answer EXPN address [SMTPUTF8] with where an alias or list leads, under the same conditions."""
    wanted = await _permitted_argument(session, argument, session.settings.expn_for)
    if wanted is None:
        session.wire.write(replies.NOT_VERIFIED)
        return
    members = await session.backend.directory.members(wanted.address)
    if not members and await session.backend.directory.account(wanted.address) is not None:
        members = (wanted.address,)
    if members:
        _reply_with_addresses(session, wanted, members[:MAX_MEMBERS])
    else:
        _reply_unknown(session, Outcome(550, "5.1.1", "There is no such list"))


async def _permitted_argument(
    session: SmtpSession, argument: bytes, audience: Audience
) -> VrfyArgument | None:
    """Return what to look for, or None for a client that gets no true answer."""
    if not argument:
        raise ProtocolError(Outcome(501, "5.5.4", "Tell an address"))
    if not session.is_among(audience):
        return None
    wanted = grammar.parse_vrfy(argument)
    return VrfyArgument(await _with_domain(session, wanted.address), wanted.is_utf8)


async def _with_domain(session: SmtpSession, address: Address) -> Address:
    """Return an address with its domain: a name alone is one of our own host's or of a domain above."""
    if address.domain or address.local.lower() == "postmaster":
        return address
    labels = session.backend.hostname.lower().split(".")
    for at in range(len(labels)):
        domain = ".".join(labels[at:])
        if await session.backend.directory.is_ours(domain):
            return Address(address.local, domain)
    raise ProtocolError(Outcome(501, "5.1.3", "Tell an address with its domain"))


def _reply_with_addresses(
    session: SmtpSession, wanted: VrfyArgument, addresses: Sequence[Address]
) -> None:
    """Answer with addresses; in UTF-8 only where it was asked for (RFC 6531 §3.7.4.2)."""
    texts = [f"<{address}>" for address in addresses]
    if not wanted.is_utf8 and not all(text.isascii() for text in texts):
        session.wire.write(replies.NEEDS_UTF8)
    else:
        session.wire.write(replies.encode_lines(250, "2.1.5", texts, "utf-8"))


def _reply_unknown(session: SmtpSession, outcome: Outcome) -> None:
    session.limits.unknown_recipients += 1
    session.reply(outcome)


COMMANDS = (
    Command(vrfy, "VRFY address [SMTPUTF8]", needs_login=True, is_junk=True),
    Command(expn, "EXPN address [SMTPUTF8]", needs_login=True, is_junk=True, keyword="EXPN"),
)
