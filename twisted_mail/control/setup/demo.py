"""The demonstration: a server on high loopback ports that needs no root, no DNS and no set-up.

Everything is in one folder. What exists is left as it is, so a second start finds the mail and accounts
of the first.
"""

import secrets
import sys
from pathlib import Path

from twisted_mail.config import load
from twisted_mail.control.directory import opened
from twisted_mail.control.setup import certificates

HOSTNAME = "mail.example.org"
ACCOUNTS = ("alice@example.org", "bob@example.org", "carol@example.net")
CONFIG = """\
# The configuration of the demonstration. Copy it for a server of your own: etc/mail.toml in the
# source explains every option.

hostname = "mail.example.org"
state = "state"                              # mail, accounts: everything that is kept
domains = ["example.org", "example.net"]     # mail for these stays here

[tls]
folder = "tls"                               # in state: *.pem files, each a key and its certificates

[addresses]
postmaster = "alice@example.org"             # mail for the postmaster of each domain

[[listener]]                                 # mail from other servers (port 25)
service = "smtp"
endpoint = "tcp:2525:interface=127.0.0.1"

[[listener]]                                 # mail from our users (port 587)
service = "submission"
endpoint = "tcp:5870:interface=127.0.0.1"

[[listener]]                                 # the same, TLS from the first byte (port 465)
service = "submission"
endpoint = "tcp:4650:interface=127.0.0.1"
tls = "implicit"

[[listener]]
service = "pop3"
endpoint = "tcp:1100:interface=127.0.0.1"

[[listener]]
service = "pop3"
endpoint = "tcp:9950:interface=127.0.0.1"
tls = "implicit"

[[listener]]
service = "imap"
endpoint = "tcp:1430:interface=127.0.0.1"

[[listener]]
service = "imap"
endpoint = "tcp:9930:interface=127.0.0.1"
tls = "implicit"
"""
HELLO = """\
From: Alice <alice@example.org>
To: Bob <bob@example.org>
Subject: Hello
Message-ID: <hello@example.org>

Do you like ketchup?
How about pickles?
"""
INVITATION = """\
A mail server for {hostname} starts, with everything in {folder}

  alice@example.org   {alice}
  bob@example.org     {bob}
  carol@example.net   {carol}

Alice sends Bob a first message:

  curl --ssl-reqd --cacert {ca} --user alice@example.org:{alice} \\
       --mail-from alice@example.org --mail-rcpt bob@example.org \\
       --upload-file {hello} smtp://localhost:5870

  swaks --server localhost:5870 --tls --tls-verify --tls-ca-path {ca} \\
        --auth PLAIN --auth-user alice@example.org --auth-password {alice} \\
        --from alice@example.org --to bob@example.org,carol@example.net

Bob reads it, by IMAP and by POP3:

  curl --cacert {ca} --user bob@example.org:{bob} 'imaps://localhost:9930/INBOX;MAILINDEX=1'

  curl --cacert {ca} --user bob@example.org:{bob} pop3s://localhost:9950/1

Look after it while it runs:

  {control} --config {config} check

Talk to it by hand (a LOGIN alice@example.org {alice}):

  openssl s_client -quiet -crlf -CAfile {ca} -connect localhost:9930

Ports: SMTP 2525, submission 5870 and 4650 (TLS), POP3 1100 and 9950 (TLS), IMAP 1430 and 9930 (TLS).
Press Ctrl-C to stop.
"""


def prepare(folder: Path) -> Path:
    """Make what is missing in ``folder`` and return the configuration's path. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = folder / "mail.toml"
    _write_once(config, CONFIG)
    _write_once(folder / "hello.eml", HELLO.replace("\n", "\r\n"))  # curl sends it as it is
    (folder / "state").mkdir(mode=0o700, exist_ok=True)
    if not any((folder / "state" / "tls").glob("*.pem")):
        certificates.make(folder / "state" / "tls", HOSTNAME)
    if not (folder / "passwords.txt").exists():
        _make_accounts(config)
    return config


def _write_once(path: Path, text: str) -> None:
    if not path.exists():
        path.write_text(text, newline="")


def _make_accounts(path: Path) -> None:
    """Make the accounts with random passwords, which are written to a file next to them."""
    config = load(path)
    passwords = {name: secrets.token_hex(6) for name in ACCOUNTS}
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
    lines = (folder / "passwords.txt").read_text().splitlines()
    passwords = {name.partition("@")[0]: password for name, password in map(str.split, lines)}
    return INVITATION.format(
        hostname=HOSTNAME,
        folder=folder,
        control=_control_command(),
        config=folder / "mail.toml",
        ca=folder / "state" / "tls" / certificates.AUTHORITY,
        hello=folder / "hello.eml",
        **passwords,
    )


def _control_command() -> str:
    """Return the control command's path where it was installed next to this Python, else its name."""
    path = Path(sys.executable).with_name("twisted-mail")
    return str(path) if path.exists() else path.name
