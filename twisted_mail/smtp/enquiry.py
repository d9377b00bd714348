"""VRFY and EXPN: who is here (RFC 5321 §3.5).

To strangers both say neither yes nor no: 252, as RFC 5321 §7.3 wants it from a server that keeps its
users' names to itself.
"""

from twisted_mail.mail.address import Address
from twisted_mail.mail.outcome import Outcome, ProtocolError
from twisted_mail.mail.route import Elsewhere, NoRoute
from twisted_mail.smtp import grammar, replies
from twisted_mail.smtp.state import State

_MAX_MEMBERS = 100  # lines of one answer


async def vrfy(state: State, argument: bytes) -> None:
    """Answer VRFY address: truly to those who have logged in, where the settings allow."""
    address = _address(state, argument, state.settings.answers_vrfy)
    if address is None:
        state.wire.write(replies.NOT_VERIFIED)
        return
    route = await state.doors.router.route(address)
    if isinstance(route, NoRoute):
        _unknown(state, route.outcome)
    elif isinstance(route, Elsewhere):
        state.wire.write(replies.NOT_VERIFIED)
    else:
        state.tell(Outcome(250, "2.1.5", f"<{address}>"))


async def expn(state: State, argument: bytes) -> None:
    """Answer EXPN address with where an alias leads, under the same conditions."""
    address = _address(state, argument, state.settings.answers_expn)
    if address is None:
        state.wire.write(replies.NOT_VERIFIED)
        return
    members = await state.doors.directory.targets(address)
    if not members and await state.doors.directory.account(address) is not None:
        members = (address,)
    if members:
        texts = [f"<{member}>" for member in members[:_MAX_MEMBERS]]
        state.wire.write(replies.encode_lines(250, "2.1.5", texts))
    else:
        _unknown(state, Outcome(550, "5.1.1", "There is no such list"))


def _address(state: State, argument: bytes, is_answered: bool) -> Address | None:
    """Return the address to look for, or None for a client that is told nothing."""
    if not argument:
        raise ProtocolError(Outcome(501, "5.5.4", "Tell an address"))
    if not is_answered or state.submitter is None:
        return None
    return grammar.parse_mailbox(argument)


def _unknown(state: State, outcome: Outcome) -> None:
    state.unknown += 1
    state.tell(outcome)
