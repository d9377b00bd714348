"""Options of the kind ``milter``."""

from dataclasses import dataclass
from typing import Literal

from twisted_mail.policy.endpoints import check_endpoint
from twisted_mail.policy.milter.negotiation import HIGHEST, LOWEST, MilterActions, MilterSteps

Begins = Literal["connect", "hello", "sender"]
AllowedChange = Literal["fields", "body", "sender", "recipients", "quarantine"]
CHANGES: tuple[AllowedChange, ...] = ("fields", "body", "sender", "recipients", "quarantine")

_ACTIONS = {
    "fields": MilterActions.ADD_FIELDS | MilterActions.CHANGE_FIELDS,
    "body": MilterActions.CHANGE_BODY,
    "sender": MilterActions.CHANGE_SENDER,
    "recipients": MilterActions.ADD_RECIPIENTS
    | MilterActions.DROP_RECIPIENTS
    | MilterActions.ADD_RECIPIENTS_WITH_PARAMETERS,
    "quarantine": MilterActions.QUARANTINE,
}


@dataclass(frozen=True, slots=True)
class MilterSettings:
    """Options of the kind ``milter``.

    ``begins`` is the stage at which the filter is connected; what is known by then is sent first. An
    earlier stage costs a connection for each client, whether or not it sends mail.
    """

    endpoint: str = "tcp:127.0.0.1:8891"
    begins: Begins = "sender"
    allows: tuple[AllowedChange, ...] = CHANGES  # what the filter may do with a message
    skips_submitted: bool = False  # mail of clients that are logged in is not sent there
    version: int = HIGHEST  # of the protocol, the highest that is offered
    connect_timeout: float = 5.0
    timeout: float = 30.0  # for each answer
    max_body: int = 50_000_000  # octets of a body that the filter puts in place of another

    def __post_init__(self) -> None:
        check_endpoint(self.endpoint)
        if not LOWEST <= self.version <= HIGHEST:
            raise ValueError(f"version must be {LOWEST} to {HIGHEST}")

    @property
    def actions(self) -> MilterActions:
        """Return the changes that the filter may make."""
        found = MilterActions.NAME_MACROS
        for word in self.allows:
            found |= _ACTIONS[word]
        return found

    @property
    def protocol_steps(self) -> MilterSteps:
        """Return the steps that the filter may leave out: any, and all replies except the last."""
        return MilterSteps(0x1FFFFF) & ~MilterSteps.WANTS_REFUSED
