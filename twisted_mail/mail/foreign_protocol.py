"""HTTP and TLS, where another protocol is expected.

A web page can have a browser send a request to any port, with a body that the page chose. A server that
passes over what it does not know runs the commands in that body, from inside the browser's network.

A client that speaks TLS to a port in clear sends no line end, and would wait as long as the server does.
"""

import re

from twisted_mail.mail.outcome import ProtocolError

METHODS = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PRI", "PUT", "TRACE")

TLS_HANDSHAKE = b"\x16"  # what a TLS connection begins with (RFC 8446 §5.1), and no command

# Every browser sends Host (RFC 9112 §3.2), before anything that a page can choose.
_HTTP = re.compile(rb"[A-Z]+ [!-~]+ HTTP/[0-9]|[Hh][Oo][Ss][Tt]:")


class ForeignProtocol(ProtocolError):
    """The client speaks another protocol, ``name``: nothing further that it sends is for us."""

    def __init__(self, name: str) -> None:
        super().__init__(f"This is no {name} server")
        self.name = name


def is_http(line: bytes) -> bool:
    """Return whether a line is the first of an HTTP request (RFC 9112 §3), or its field Host."""
    return _HTTP.match(line) is not None
