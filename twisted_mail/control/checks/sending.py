"""What mail to other hosts needs: the files that ``[sending]`` names, and a name that others believe.

The second is for ``twisted-mail check --sending``.

Many refuse mail from an address whose reverse name does not lead back to it, or is not the name that we
greet with (RFC 5321 §4.1.4 forbids that they do so for the greeting alone). Nothing is sent, and no
other host but the DNS is asked.
"""

import ipaddress
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from twisted_mail.config import Config
from twisted_mail.control.checks.note import Note
from twisted_mail.delivery.onward.relay_login import read_login
from twisted_mail.interfaces import Resolver
from twisted_mail.mail.outcome import MailError

# Addresses of nobody (RFC 5737, RFC 3849): the system chooses ours for them without a packet.
_FAR = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
_PORT = 25
_SIGNED = "org"  # a domain that is signed, and will be
_OTHERS = 0o077  # what others than its owner may do with a file


# ---------------------------------------------------------------- files


def sending_file_notes(config: Config) -> Iterator[Note]:
    """Check the login for the relay, and the authorities: without them mail only waits."""
    if config.sending.relay_login:
        yield from _login(config.state / config.sending.relay_login)
    if config.sending.authorities:
        yield from _authorities(config.state / config.sending.authorities)


def _login(path: Path) -> Iterator[Note]:
    try:
        login = read_login(path)
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        yield _fault(path, error, "relay_login: a name in the first line, a password in the second")
        return
    if mode & _OTHERS:
        text = f"{path} has a password, and others than its owner can use it: chmod 600 {path}"
        yield _warning(text)
    yield _fine(f"{path} has the login of {login.name} for the relay")


def _authorities(path: Path) -> Iterator[Note]:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError as error:  # of which SSLError is one
        yield _fault(path, error, "authorities: certificates in PEM")
    else:
        yield _fine(f"{path} has the authorities that are trusted")


def _fault(path: Path, error: Exception, cure: str) -> Note:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return Note("fault", "sending", f"{path}: {reason} ([sending] {cure})")


# ---------------------------------------------------------------- names and addresses


def source_addresses() -> list[str]:
    """Return the addresses from which this machine sends to the internet, by the routes of the system."""
    found = []
    for family, far in _FAR:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far, _PORT))
            found.append(str(probe.getsockname()[0]))
    return found


async def sending_notes(resolver: Resolver, hostname: str, sources: Sequence[str]) -> list[Note]:
    """Check the name that we greet with, and the addresses that mail leaves from."""
    notes = [await _answered(resolver, hostname)]
    if not sources:
        notes.append(_warning("this machine has no route to the internet: no mail leaves it"))
    for address in sources:
        notes.append(await _source_note(resolver, address, hostname.lower()))
    return notes


async def dane_note(resolver: Resolver) -> Note:
    """Check whether the DNS vouches for what is signed: without that TLSA records count for nothing."""
    try:
        found = await resolver.mail_hosts(_SIGNED)
    except MailError as error:
        return _silent(_SIGNED, error)
    if found.is_authentic:
        return _fine("the resolver on this host validates DNSSEC: TLSA records count (DANE)")
    return _warning(
        "no resolver on this host validates DNSSEC, so TLSA records (DANE) count for nothing: install"
        " one, such as unbound, and name it in [dns] servers; or say dane = false in [outgoing_tls]"
    )


async def _answered(resolver: Resolver, hostname: str) -> Note:
    if "." not in hostname:
        return _warning(
            f"we greet as {hostname}, which is not a full name: set hostname in mail.toml"
        )
    try:
        found = await resolver.addresses(hostname)
    except MailError as error:
        return _silent(hostname, error)
    if not found:
        return _warning(f"we greet as {hostname}, which has no address: many servers refuse us")
    return _fine(f"we greet as {hostname}, which has the address {', '.join(found)}")


async def _source_note(resolver: Resolver, address: str, hostname: str) -> Note:
    if not ipaddress.ip_address(address).is_global:
        text = (
            f"mail leaves from {address}, which is translated on its way: ask from outside which"
            f" address others see, and whether its reverse name (PTR) is {hostname}"
        )
        return _warning(text)
    try:
        names = [name.lower().removesuffix(".") for name in await resolver.names(address)]
        led_back = [name for name in names[:5] if address in await resolver.addresses(name)]
    except MailError as error:
        return _silent(address, error)
    return _reverse_note(address, hostname, names, led_back)


def _reverse_note(
    address: str, hostname: str, names: Sequence[str], led_back: Sequence[str]
) -> Note:
    cure = "who owns the address can set it"
    if not names:
        text = f"mail leaves from {address}, which has no reverse name (PTR): {cure}"
    elif not led_back:
        text = f"the reverse name of {address}, {names[0]}, does not lead back to it"
    elif hostname not in led_back:
        text = f"the reverse name of {address} is {led_back[0]}, and we greet as {hostname}"
    else:
        return _fine(f"mail leaves from {address}, whose reverse name is {hostname}")
    return _warning(text)


def _silent(name: str, error: MailError) -> Note:
    return _warning(f"the DNS does not answer for {name}: {error.outcome.text}")


def _warning(text: str) -> Note:
    return Note("warning", "sending", text)


def _fine(text: str) -> Note:
    return Note("fine", "sending", text)
