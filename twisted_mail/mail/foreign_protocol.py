"""HTTP, where another protocol is expected.

A web page can have a browser send a request to any port, with a body that the page chose. A server that
passes over what it does not know runs the commands in that body, from inside the browser's network.
"""

import re

METHODS = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PRI", "PUT", "TRACE")

# Every browser sends Host (RFC 9112 §3.2), before anything that a page can choose.
_HTTP = re.compile(rb"[A-Z]+ [!-~]+ HTTP/[0-9]|[Hh][Oo][Ss][Tt]:")


def is_http(line: bytes) -> bool:
    """Return whether a line is the first of an HTTP request (RFC 9112 §3), or its field Host."""
    return _HTTP.match(line) is not None
