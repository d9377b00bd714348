"""The folders of the demonstration: high loopback ports that need no root, no DNS and no set-up.

Everything is in one folder, with what the second server has in a folder inside. What exists is left as it is, so a
second start finds the mail and accounts of the first.
"""

import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from twisted_mail.config import load
from twisted_mail.control.directory import opened
from twisted_mail.control.setup import certificates
from twisted_mail.control.setup.demo.texts import CONFIG, HELLO, INVITATION, LETTER

DNS_PORT = 5350


@dataclass(frozen=True, slots=True)
class DemoServer:
    """One of the servers: its domain, where other servers reach it, and who has an account.

    ``offset`` is added to the ports that people use.
    """

    domain: str
    address: str
    accounts: tuple[str, ...]
    offset: int = 0

    @property
    def hostname(self) -> str:
        """Return the name that its domain's MX leads to."""
        return f"mail.{self.domain}"

    @property
    def config(self) -> str:
        """Return the text of its configuration."""
        ports = {
            "submission": 5870,
            "submissions": 4650,
            "pop3": 1100,
            "pop3s": 9950,
            "imap": 1430,
            "imaps": 9930,
        }
        return CONFIG.format(
            hostname=self.hostname,
            domain=self.domain,
            address=self.address,
            postmaster=self.accounts[0],
            dns=DNS_PORT,
            **{name: port + self.offset for name, port in ports.items()},
        )


FIRST = DemoServer("example.org", "127.0.0.1", ("alice@example.org", "bob@example.org"))
SECOND = DemoServer("example.net", "127.0.0.2", ("carol@example.net",), offset=1)


def prepare(folder: Path) -> Path:
    """Make what is missing in ``folder``; return the first configuration's path. Raises OSError."""
    config = _prepare_server(FIRST, folder)
    _prepare_server(SECOND, folder / SECOND.domain)
    for name, text in (("hello.eml", HELLO), ("letter.eml", LETTER)):
        _write_once(folder / name, text.replace("\n", "\r\n"))  # curl sends it as it is
    return config


def _prepare_server(server: DemoServer, folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = folder / "mail.toml"
    _write_once(config, server.config)
    (folder / "state").mkdir(mode=0o700, exist_ok=True)
    if not any((folder / "state" / "tls").glob("*.pem")):
        certificates.make(folder / "state" / "tls", server.hostname)
    if not (folder / "passwords.txt").exists():
        _make_accounts(server, config)
    return config


def _write_once(path: Path, text: str) -> None:
    if not path.exists():
        path.write_text(text, newline="")


def _make_accounts(server: DemoServer, path: Path) -> None:
    """Make the accounts with random passwords, which are written to a file next to them."""
    config = load(path)
    passwords = {name: secrets.token_hex(6) for name in server.accounts}
    with opened(config) as register:
        present = {row.address for row in register.accounts.all()}
        for name, password in passwords.items():
            if name in present:
                register.accounts.set_password(name, password)
            else:
                register.accounts.add(name, password)
    written = path.with_name("passwords.txt")
    written.touch(mode=0o600)
    written.write_text("".join(f"{name} {password}\n" for name, password in passwords.items()))


def next_steps(folder: Path) -> str:
    """Return the instructions for the person who started the demonstration."""
    other = folder / SECOND.domain
    return INVITATION.format(
        hostname=FIRST.hostname,
        folder=folder,
        other=other,
        control=_command("twisted-mail"),
        twistd=_command("twistd"),
        config=folder / "mail.toml",
        ca=folder / "state" / "tls" / certificates.AUTHORITY,
        other_ca=other / "state" / "tls" / certificates.AUTHORITY,
        hello=folder / "hello.eml",
        letter=folder / "letter.eml",
        **{**_passwords(other), **_passwords(folder)},
    )


def _passwords(folder: Path) -> dict[str, str]:
    lines = (folder / "passwords.txt").read_text().splitlines()
    return {name.partition("@")[0]: password for name, password in map(str.split, lines)}


def _command(name: str) -> str:
    """Return a command's path where it was installed next to this Python, else its name."""
    path = Path(sys.executable).with_name(name)
    return str(path) if path.exists() else name
