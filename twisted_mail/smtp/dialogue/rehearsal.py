"""MAIL and RCPT as for a message, and then RSET: a host is asked, and nothing is sent.

What it answers is what it would answer now to the real thing, as far as RCPT.
"""

from dataclasses import dataclass

from twisted_mail.mail.address import Address
from twisted_mail.mail.outcome import Outcome
from twisted_mail.smtp.dialogue.capabilities import Capabilities
from twisted_mail.smtp.dialogue.command_channel import CommandChannel
from twisted_mail.smtp.dialogue.endings import DialogueEnded, outcome_of
from twisted_mail.smtp.dialogue.settings import DialogueLimits


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A command, and what the host answered."""

    command: str
    outcome: Outcome


async def rehearse(
    channel: CommandChannel,
    offered: Capabilities,
    limits: DialogueLimits,
    sender: Address,
    recipient: Address,
    size: int = 0,
) -> list[Rehearsed]:
    """Say MAIL, RCPT if that is taken, and RSET; return what was answered, also where it ends early."""
    announced = f" SIZE={size}" if size and offered.has_size else ""
    steps = (
        (f"MAIL FROM:<{sender.text}>{announced}", limits.mail),
        (f"RCPT TO:<{recipient.text}>", limits.recipient),
    )
    found: list[Rehearsed] = []
    try:
        for command, seconds in steps:
            found.append(Rehearsed(command, outcome_of(await channel.ask(command, seconds))))
            if not found[-1].outcome.is_success:
                break
        found.append(Rehearsed("RSET", outcome_of(await channel.ask("RSET", limits.mail))))
    except DialogueEnded as end:
        found.append(Rehearsed(end.command, end.outcome))
    return found
