"""Why a connection to another host is of no more use."""

from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.smtp.dialogue.replies import Reply

END_OF_MESSAGE = "."  # the command that the reply to a message answers
CLOSING = 421  # the code by which a host ends the dialogue, whatever the command (RFC 5321 §3.8)


class DialogueEnded(Exception):
    """The dialogue is over: by what, and at which command.

    The outcome is a reply of the other side if ``is_reply``, else ours. ``is_orderly``: the other side
    may be told QUIT; ``is_handshake``: TLS could not begin; ``is_lost``: the connection broke;
    ``is_stopped``: we ended it, and nobody failed; ``is_out_of_step``: nobody knows which command the
    answers before belong to.
    """

    def __init__(
        self,
        outcome: Outcome,
        command: str,
        reply_class: ReplyClass = ReplyClass.NETWORK,
        *,
        is_reply: bool = False,
        is_orderly: bool = False,
        is_handshake: bool = False,
        is_lost: bool = False,
        is_stopped: bool = False,
        is_out_of_step: bool = False,
    ) -> None:
        super().__init__(outcome.text)
        self.outcome = outcome
        self.command = command
        self.reply_class = reply_class
        self.is_reply = is_reply
        self.is_orderly = is_orderly
        self.is_handshake = is_handshake
        self.is_lost = is_lost
        self.is_stopped = is_stopped
        self.is_out_of_step = is_out_of_step


def outcome_of(reply: Reply) -> Outcome:
    """Return what a reply says, as an outcome."""
    return Outcome(reply.code, reply.enhanced, reply.text)


def refused(
    reply: Reply, command: str, reply_class: ReplyClass = ReplyClass.OTHER
) -> DialogueEnded:
    """Return the end of a dialogue by a reply."""
    is_orderly = reply.code != CLOSING
    return DialogueEnded(
        outcome_of(reply), command, reply_class, is_reply=True, is_orderly=is_orderly
    )


def malformed(flaw: str, command: str, is_out_of_step: bool = True) -> DialogueEnded:
    """Return the end by what is no reply, or none to the command."""
    outcome = Outcome(451, "4.5.0", f"The other side sent {flaw}")
    return DialogueEnded(outcome, command, is_out_of_step=is_out_of_step)


def lost(command: str) -> DialogueEnded:
    """Return the end by a connection that broke."""
    text = "The connection was lost before the answer came"
    return DialogueEnded(Outcome(451, "4.4.2", text + _doubt(command)), command, is_lost=True)


def silent(command: str, seconds: float) -> DialogueEnded:
    """Return the end by a time limit."""
    text = f"No answer within {seconds:.0f} seconds"
    return DialogueEnded(Outcome(451, "4.4.2", text + _doubt(command)), command)


def stalled(command: str, seconds: float) -> DialogueEnded:
    """Return the end by a host that takes nothing of what it is sent."""
    text = f"The other side took nothing for {seconds:.0f} seconds"
    return DialogueEnded(Outcome(451, "4.4.2", text), command)


def overdue(command: str) -> DialogueEnded:
    """Return the end of what took too long in all, though never for long at a time."""
    text = "No answer in the time that all of it may take"
    return DialogueEnded(Outcome(451, "4.4.2", text + _doubt(command)), command)


def _doubt(command: str) -> str:
    """Return what nobody knows when the answer to a message does not come (RFC 5321 §6.1)."""
    return "; the message may have been taken" if command == END_OF_MESSAGE else ""


def stopped(command: str) -> DialogueEnded:
    """Return the end because we stop."""
    return DialogueEnded(Outcome(451, "4.3.2", "We stopped"), command, is_stopped=True)


def tls_failed(
    text: str, enhanced: str = "4.7.5", *, is_handshake: bool = False, is_orderly: bool = False
) -> DialogueEnded:
    """Return the end because TLS is not what is demanded."""
    return DialogueEnded(
        Outcome(451, enhanced, text),
        "STARTTLS",
        ReplyClass.TLS,
        is_handshake=is_handshake,
        is_orderly=is_orderly,
    )
