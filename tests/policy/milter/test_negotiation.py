import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.outcome import ProtocolError
from twisted_mail.policy.milter.negotiation import (
    MilterActions,
    MilterSteps,
    offer,
    parse_agreement,
)
from twisted_mail.policy.milter.packets import Packet
from twisted_mail.policy.milter.settings import MilterSettings

SETTINGS = MilterSettings()


def answer(version=6, actions=0, protocol_steps=0, more=b""):
    packet = Packet(b"O", struct.pack(">III", version, actions, protocol_steps) + more)
    return parse_agreement(packet, 6, SETTINGS.actions, SETTINGS.protocol_steps)


def test_only_what_a_version_knows_is_offered():
    found = [
        struct.unpack(">III", offer(version, SETTINGS.actions, SETTINGS.protocol_steps).data)
        for version in (2, 3, 4, 6)
    ]
    assert found == [
        (2, 0x3F, 0x7F),
        (3, 0x3F, 0x1FF),
        (4, 0x3F, 0x3FF),
        (6, 0x1FF, 0x1FFFFF & ~0x800),
    ]


def test_what_the_filter_asks_for_is_agreed():
    found = answer(6, 0x11, 0x81)
    assert found.actions == MilterActions.ADD_FIELDS | MilterActions.CHANGE_FIELDS
    assert found.protocol_steps == MilterSteps.SILENT_FIELDS | MilterSteps.NO_CONNECT


def test_an_old_filter_agrees_to_less():
    found = answer(2, 0x41, 0x10_0081)
    assert (found.version, found.actions, found.protocol_steps) == (
        2,
        MilterActions.ADD_FIELDS,
        MilterSteps.NO_CONNECT,
    )


def test_macros_are_asked_for_by_the_number_of_the_step():
    more = struct.pack(">I", 0) + b"j {client_addr}\0" + struct.pack(">I", 5) + b"i\0"
    assert answer(more=more).macros == {0: frozenset({"j", "{client_addr}"}), 5: frozenset({"i"})}
    with pytest.raises(ProtocolError):
        answer(more=b"\0\0\0\1i")


@pytest.mark.parametrize(
    ("version", "actions", "protocol_steps"),
    [(7, 0, 0), (1, 0, 0), (6, 0x200, 0), (6, 0, 0x1000_0000)],
)
def test_what_was_not_offered_cannot_be_had(version, actions, protocol_steps):
    with pytest.raises(ProtocolError):
        answer(version, actions, protocol_steps)


def test_settings_say_what_may_be_had():
    settings = MilterSettings(allows=("fields",))
    assert (
        settings.actions
        == MilterActions.ADD_FIELDS | MilterActions.CHANGE_FIELDS | MilterActions.NAME_MACROS
    )
    with pytest.raises(ProtocolError):
        parse_agreement(
            Packet(b"O", struct.pack(">III", 6, 2, 0)), 6, settings.actions, settings.protocol_steps
        )


@given(st.binary(min_size=1, max_size=1), st.binary(max_size=40))
def test_a_hostile_negotiation_is_an_agreement_or_an_error(kind, data):
    with contextlib.suppress(ProtocolError):
        parse_agreement(Packet(kind, data), 6, SETTINGS.actions, SETTINGS.protocol_steps)


@pytest.mark.parametrize(
    "endpoint", ["tcp:127.0.0.1:8891", "unix:/run/f.sock", r"tcp:\:\:1:8891", "tcp:host=a:port=1"]
)
def test_an_endpoint_is_a_port_or_a_socket(endpoint):
    assert MilterSettings(endpoint=endpoint).endpoint == endpoint


@pytest.mark.parametrize("endpoint", ["", "8891", "inet:8891@localhost", "tcp:a:0", "unix:x"])
def test_any_other_endpoint_is_a_mistake(endpoint):
    with pytest.raises(ValueError, match="endpoint must be"):
        MilterSettings(endpoint=endpoint)


def test_only_known_versions_are_spoken():
    with pytest.raises(ValueError, match="version"):
        MilterSettings(version=7)
