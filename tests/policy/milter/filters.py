"""A mail filter as libmilter makes them, written from its headers: the other side of the protocol."""

import struct

ALL_ACTIONS = 0x1FF


def packet(kind, data=b""):
    return struct.pack(">I", 1 + len(data)) + kind + data


def texts(*parts):
    return b"".join(part + b"\0" for part in parts)


def reply(text):
    return packet(b"y", texts(text))


def add(name, value):
    return packet(b"h", texts(name, value))


def insert(index, name, value):
    return packet(b"i", struct.pack(">I", index) + texts(name, value))


def change(index, name, value):
    return packet(b"m", struct.pack(">I", index) + texts(name, value))


CONTINUE, ACCEPT, REJECT, TEMPFAIL, DISCARD, SKIP, PROGRESS = (
    packet(kind) for kind in (b"c", b"a", b"r", b"t", b"d", b"s", b"p")
)


class FakeFilter:
    """Answers ``answers[kind]``, or continues; keeps what it was told.

    ``protocol_steps`` are the SMFIP flags it asks for, ``symbols`` its list of macros.
    """

    silent_flags = {b"L": 0x80, b"C": 0x1000, b"H": 0x2000, b"M": 0x4000, b"R": 0x8000}  # noqa: RUF012
    silent_flags |= {b"T": 0x10000, b"N": 0x40000, b"B": 0x80000}

    def __init__(self, answers=None, version=6, actions=ALL_ACTIONS, protocol_steps=0, symbols=b""):
        self.answers = answers or {}
        self.version, self.actions, self.protocol_steps, self.symbols = (
            version,
            actions,
            protocol_steps,
            symbols,
        )
        self.held = b""
        self.told = []
        self.macros = {}
        self.has_left = False

    def hear(self, data):
        self.held += data
        said = b""
        while len(self.held) >= 4:
            [length] = struct.unpack_from(">I", self.held)
            if len(self.held) < 4 + length:
                break
            kind, rest = self.held[4:5], self.held[5 : 4 + length]
            self.held = self.held[4 + length :]
            said += self.answer(kind, rest)
        return said

    def answer(self, kind, data):
        if kind == b"D":
            found = data[1:].split(b"\0")[:-1]
            self.macros[data[:1]] = dict(zip(found[::2], found[1::2], strict=True))
            return b""
        self.told.append((kind, data))
        if kind == b"O":
            self.offered = struct.unpack(">III", data)
            version, actions, _ = self.offered
            agreed = struct.pack(
                ">III", min(version, self.version), self.actions & actions, self.protocol_steps
            )
            return packet(b"O", agreed + self.symbols)
        if kind in b"AQ" or self.protocol_steps & self.silent_flags.get(kind, 0):
            return b""
        found = self.answers.get(kind, CONTINUE)
        return found.pop(0) if isinstance(found, list) else found

    @property
    def kinds(self):
        return b"".join(kind for kind, _ in self.told)

    def data(self, kind):
        return [data for one, data in self.told if one == kind]
