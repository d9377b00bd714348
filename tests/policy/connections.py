"""Connections to fake programs: whatever is written is answered at once."""

from twisted_mail.mail.outcome import Unavailable


class FakeConnection:
    """A connection to ``program``, whose ``hear(data)`` returns its answer."""

    def __init__(self, program, size=7):
        self.program = program
        self.is_open = True
        self.said = b""
        self.size = size  # octets that come at a time
        self.timeouts = []

    def write(self, data):
        if not self.is_open:
            raise Unavailable("gone")
        self.said += self.program.hear(data)
        if getattr(self.program, "has_left", False):
            self.is_open = False

    async def drain(self, timeout):
        if not self.is_open:
            raise Unavailable("gone")

    async def read(self, timeout):
        self.timeouts.append(timeout)
        if not self.said:
            raise Unavailable("silent")
        size = self.size if len(self.said) < 10_000 else 65_536
        data, self.said = self.said[:size], self.said[size:]
        return data

    def close(self):
        self.is_open = False


class FakeConnector:
    """Connects to ``make()``; keeps the connections."""

    def __init__(self, make):
        self.make = make
        self.lines = []
        self.dialed = []

    async def connect(self, endpoint, timeout):
        self.dialed.append(endpoint)
        program = self.make()
        if program is None:
            raise Unavailable("cannot be reached")
        self.lines.append(FakeConnection(program))
        return self.lines[-1]
