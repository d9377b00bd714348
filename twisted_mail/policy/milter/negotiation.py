"""The negotiation of a connection: the version, what the filter may do, which steps it wants."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag

from twisted_mail.mail.outcome import ProtocolError
from twisted_mail.policy.milter.packets import Packet

LOWEST, HIGHEST = 2, 6  # versions

_HEAD = struct.Struct(">III")
_STAGE = struct.Struct(">I")


class MilterActions(IntFlag):
    """What a filter may do with a message (SMFIF)."""

    ADD_FIELDS = 0x01
    CHANGE_BODY = 0x02
    ADD_RECIPIENTS = 0x04
    DROP_RECIPIENTS = 0x08
    CHANGE_FIELDS = 0x10
    QUARANTINE = 0x20
    CHANGE_SENDER = 0x40
    ADD_RECIPIENTS_WITH_PARAMETERS = 0x80
    NAME_MACROS = 0x100


class MilterSteps(IntFlag):
    """The steps that a filter does not want, or does not reply to (SMFIP)."""

    NO_CONNECT = 0x01
    NO_HELO = 0x02
    NO_MAIL = 0x04
    NO_RCPT = 0x08
    NO_BODY = 0x10
    NO_FIELDS = 0x20
    NO_END_OF_HEADER = 0x40
    SILENT_FIELDS = 0x80
    NO_UNKNOWN = 0x100
    NO_DATA = 0x200
    SKIPS_BODY = 0x400  # it may skip the rest of the body
    WANTS_REFUSED = 0x800  # recipients that we refuse
    SILENT_CONNECT = 0x1000
    SILENT_HELO = 0x2000
    SILENT_MAIL = 0x4000
    SILENT_RCPT = 0x8000
    SILENT_DATA = 0x10000
    SILENT_UNKNOWN = 0x20000
    SILENT_END_OF_HEADER = 0x40000
    SILENT_BODY = 0x80000
    KEEPS_SPACES = 0x100000  # the space after the colon of a field is part of its value


NO_ACTION, NO_STEPS = MilterActions(0), MilterSteps(0)

_KNOWN_STEPS = {2: 0x7F, 3: 0x1FF, 4: 0x3FF, 5: 0x3FF, 6: 0x1FFFFF}  # that a version knows
_ACTIONS = {2: 0x3F, 3: 0x3F, 4: 0x3F, 5: 0x3F, 6: 0x1FF}


@dataclass(frozen=True, slots=True)
class NegotiatedOptions:
    """What both sides agreed on. ``macros`` are those that the filter wants, by the number of a step."""

    version: int = HIGHEST
    actions: MilterActions = NO_ACTION
    protocol_steps: MilterSteps = NO_STEPS
    macros: Mapping[int, frozenset[str]] = field(default_factory=dict)


def offer(version: int, actions: MilterActions, protocol_steps: MilterSteps) -> Packet:
    """Return the packet that opens a connection; only what the version knows is offered."""
    data = _HEAD.pack(version, actions & _ACTIONS[version], protocol_steps & _KNOWN_STEPS[version])
    return Packet(b"O", data)


def parse_agreement(
    packet: Packet, version: int, actions: MilterActions, protocol_steps: MilterSteps
) -> NegotiatedOptions:
    """Return what our offer and the filter's reply agree on.

    Raises ProtocolError when it asks for what was not offered.
    """
    if packet.kind != b"O" or len(packet.data) < _HEAD.size:
        raise ProtocolError("no negotiation")
    theirs, wanted, steps = _HEAD.unpack_from(packet.data)
    if not LOWEST <= theirs <= version:
        raise ProtocolError("a version that was not offered")
    # Some filters repeat the flags of the newest version they know, whichever they speak.
    if wanted & ~int(actions) or steps & ~int(protocol_steps | MilterSteps.WANTS_REFUSED):
        raise ProtocolError("an action or a step that was not offered")
    macros = _macros(packet.data[_HEAD.size :])
    return NegotiatedOptions(
        theirs,
        MilterActions(wanted & _ACTIONS[theirs]),
        MilterSteps(steps & _KNOWN_STEPS[theirs]),
        macros,
    )


def _macros(data: bytes) -> dict[int, frozenset[str]]:
    """Return the macros that are wanted: for each step its number, and names between blanks."""
    found: dict[int, frozenset[str]] = {}
    while data:
        names, end, rest = data[_STAGE.size :].partition(b"\0")
        if not end:
            raise ProtocolError("a list of macros without end")
        [step] = _STAGE.unpack_from(data)
        found[step] = frozenset(names.decode("utf-8", "replace").split())
        data = rest
    return found
