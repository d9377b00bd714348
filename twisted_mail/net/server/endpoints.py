"""The endpoints of listeners, with the sockets that systemd has passed (sd_listen_fds(3)).

They are Twisted's, but for two defaults: a port without an interface serves IPv6 as well as IPv4, and a
UNIX socket without a mode is open to its user and group alone (Twisted: to everybody on the host).
Twisted reads ``LISTEN_FDS`` and its relatives when it is imported, and removes them from the environment.
"""

import errno
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.endpoints import (
    AdoptedStreamServerEndpoint,
    TCP4ServerEndpoint,
    UNIXServerEndpoint,
    _parse,
    _SystemdParser,
    serverFromString,
)
from twisted.internet.interfaces import IStreamServerEndpoint

from twisted_mail.net.server.all_interfaces import AllInterfacesEndpoint

UNIX_MODE = 0o660  # of a socket whose endpoint names none


class ServerEndpoints:
    """Makes endpoints from their strings. A socket that systemd passed is used once."""

    def __init__(self, reactor: Any, passed: Any = None) -> None:
        self._reactor = reactor
        passed = _SystemdParser._sddaemon if passed is None else passed
        self._descriptors: Sequence[int] = passed.inheritedDescriptors()
        self._by_name: Mapping[str, int] = passed.inheritedNamedDescriptors()
        self._used: set[int] = set()

    def make(self, text: str) -> IStreamServerEndpoint:
        """Return an endpoint. Raises ValueError with a text for people."""
        if text.partition(":")[0] == "systemd":
            return self._inherited(text)
        try:
            endpoint: IStreamServerEndpoint = serverFromString(self._reactor, text)  # type: ignore[no-untyped-call]
        except (OSError, LookupError) as error:
            raise ValueError(str(error) or type(error).__name__) from None
        return self._with_our_defaults(endpoint, text)

    def _with_our_defaults(self, endpoint: Any, text: str) -> IStreamServerEndpoint:
        if type(endpoint) is TCP4ServerEndpoint and not endpoint._interface:
            return AllInterfacesEndpoint(self._reactor, endpoint._port, endpoint._backlog)
        if type(endpoint) is UNIXServerEndpoint:
            endpoint._mode = unix_mode(text)
        made: IStreamServerEndpoint = endpoint
        return made

    def lacks_right(self, port: int) -> bool:
        """Return whether a port is closed to this process, which may have given root's rights up."""
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
                trial.bind(("127.0.0.1", port))  # the right is looked at before who has the port
        except OSError as error:
            return error.errno in (errno.EACCES, errno.EPERM)
        return False

    @property
    def unused(self) -> list[str]:
        """Return the names of the sockets that systemd passed and nobody asked for."""
        names = {descriptor: name for name, descriptor in self._by_name.items()}
        return [
            names.get(descriptor, f"descriptor {descriptor}")
            for descriptor in self._descriptors
            if descriptor not in self._used
        ]

    # ------------------------------------------------------------ systemd

    def _inherited(self, text: str) -> IStreamServerEndpoint:
        options = systemd_options(text)
        descriptor = self._find(options)
        family = getattr(socket, f"AF_{options['domain']}")
        _check(descriptor, options["domain"], family)
        if descriptor in self._used:
            raise ValueError("the socket that systemd passed was used already; restart the server")
        self._used.add(descriptor)
        return AdoptedStreamServerEndpoint(self._reactor, descriptor, family)  # type: ignore[no-untyped-call]

    def _find(self, options: Mapping[str, str]) -> int:
        """Return the descriptor of a socket that systemd passed, by name or index."""
        if not self._descriptors:
            raise ValueError("systemd passed no sockets: a socket unit has to start the server")
        passed = ", ".join(self._by_name) or "none with a name"
        if "name" in options:
            if options["name"] in self._by_name:
                return self._by_name[options["name"]]
            name = options["name"]
            raise ValueError(f"systemd passed no socket called {name!r}; it passed: {passed}")
        index = options["index"]
        if not index.isdecimal() or int(index) >= len(self._descriptors):
            count = len(self._descriptors)
            raise ValueError(f"systemd passed no socket {index}; it passed {count}: {passed}")
        return self._descriptors[int(index)]


def systemd_options(text: str) -> dict[str, str]:
    """Return the parts of ``systemd:...``. Raises ValueError with a text for people."""
    options = dict(part.partition("=")[::2] for part in text.split(":")[1:])
    if ("name" in options) == ("index" in options) or "domain" not in options:
        example = "as in systemd:domain=INET6:name=smtp"
        raise ValueError(f"{text!r} needs domain=, and one of name= and index=, {example}")
    if options["domain"] not in ("INET", "INET6", "UNIX"):
        raise ValueError(f"there is no domain {options['domain']!r}; say INET, INET6 or UNIX")
    return options


def unix_mode(text: str) -> int:
    """Return the mode of the socket that an endpoint string ``unix:...`` makes."""
    words, options = _parse(text)  # type: ignore[no-untyped-call]
    written = options.get("mode", words[2] if len(words) > 2 else "")
    return int(written, 8) if written else UNIX_MODE


def _check(descriptor: int, domain: str, family: int) -> None:
    """Raise ValueError if a descriptor is no listening socket of the family."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as copy:
            is_listening = copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            found = copy.family
    except OSError as error:
        raise ValueError(f"systemd passed descriptor {descriptor}: {error.strerror}") from None
    if not is_listening:
        raise ValueError("systemd passed a socket that does not listen; say ListenStream=")
    if found != family:
        name = socket.AddressFamily(found).name.removeprefix("AF_")
        raise ValueError(f"systemd passed a socket of {name}, not of {domain}")
