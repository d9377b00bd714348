"""What ``twisted-mail init`` is about to make, checked before anything is written."""

import argparse
import pwd
from dataclasses import dataclass, field
from pathlib import Path

from twisted_mail.control import secrets
from twisted_mail.control.output import WRONG_USE, CommandError
from twisted_mail.directory.passwords import MAX_PASSWORD, is_possible
from twisted_mail.mail.address import parse, parse_domain


@dataclass(frozen=True, slots=True)
class ListenerPort:
    """A listener that init writes: its purpose for the comment, and the port with and without root."""

    purpose: str
    service: str
    port: int
    high_port: int
    is_implicit: bool = False


PORTS = (
    ListenerPort("mail from other servers", "smtp", 25, 2525),
    ListenerPort(
        "mail from mail programs, TLS from the first octet", "submission", 465, 4650, True
    ),
    ListenerPort("mail from mail programs, STARTTLS", "submission", 587, 5870),
    ListenerPort("POP3, STARTTLS", "pop3", 110, 1100),
    ListenerPort("POP3, TLS from the first octet", "pop3", 995, 9950, True),
    ListenerPort("IMAP, STARTTLS", "imap", 143, 1430),
    ListenerPort("IMAP, TLS from the first octet", "imap", 993, 9930, True),
)


@dataclass(frozen=True, slots=True)
class SetupPlan:
    """What init is about to make, checked before anything is written."""

    folder: Path
    state: Path
    hostname: str
    domains: tuple[str, ...]
    account: str
    interface: str
    is_high: bool
    owner: str
    password: str = field(repr=False, default="")

    @property
    def tls(self) -> Path:
        """Return the folder of the certificates."""
        return self.state / "tls"

    @property
    def config(self) -> Path:
        """Return the path of the configuration file."""
        return self.folder / "mail.toml"

    @property
    def certificate(self) -> Path:
        """Return the path of the certificate file."""
        return self.tls / f"{self.hostname}.pem"

    def port(self, port: ListenerPort) -> int:
        """Return the number of a port in the configuration."""
        return port.high_port if self.is_high else port.port


def planned(options: argparse.Namespace) -> SetupPlan:
    """Return what the options ask for. Raises CommandError."""
    domains = tuple(dict.fromkeys(_domain(text) for text in options.domain))
    account = _account(options.account, domains[0]) if options.account else ""
    if account and parse(account).domain not in domains:
        raise CommandError(f"{account} is in none of the domains ({', '.join(domains)})", WRONG_USE)
    if options.owner:
        _check_owner(options.owner)
    folder = Path(options.folder).absolute()
    return SetupPlan(
        folder,
        folder / Path(options.state or "state"),
        _domain(options.hostname or f"mail.{domains[0]}"),
        domains,
        account,
        options.interface or "",
        options.high_ports,
        options.owner or "",
        _password(options) if account else "",
    )


def _check_owner(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        raise CommandError(f"there is no user {name!r} on this machine", WRONG_USE) from None


def _domain(text: str) -> str:
    try:
        name = parse_domain(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is not a domain: {error}", WRONG_USE) from None
    if name.startswith("["):
        raise CommandError(f"{text!r} is an address and not a name", WRONG_USE)
    return name


def _account(text: str, domain: str) -> str:
    try:
        return str(parse(text if "@" in text else f"{text}@{domain}"))
    except ValueError as error:
        raise CommandError(f"{text!r} is not an address: {error}", WRONG_USE) from None


def _password(options: argparse.Namespace) -> str:
    password = secrets.read_password() if options.password_stdin else secrets.generate_password()
    if not is_possible(password):
        text = f"a password has 1 to {MAX_PASSWORD} octets and no NUL"
        raise CommandError(text, WRONG_USE)
    return password
