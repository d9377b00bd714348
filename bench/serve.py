"""Serve many accounts for a load generator: ``python -m bench.serve FOLDER`` until interrupted.

Accounts are ``u0@bench.test`` and so on with the password ``secret``; FOLDER/spec.json names ports,
maildirs and the process, for a driver that compares servers.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from twisted_mail.config import load
from twisted_mail.control.setup import certificates
from twisted_mail.directory.editing.editor import DirectoryEditor

HOSTNAME = "mail.bench.test"
SENDER = "sender@bench.test"
PORTS = {
    "smtp": ("smtp", 15025, "starttls"),
    "submission": ("submission", 15587, "starttls"),
    "submissions": ("submission", 15465, "implicit"),
    "pop3": ("pop3", 15110, "starttls"),
    "pop3s": ("pop3", 15995, "implicit"),
    "imap": ("imap", 15143, "starttls"),
    "imaps": ("imap", 15993, "implicit"),
}
RELAYED = "sink.test"
SINK = 15525  # where mail for other domains goes to
CONFIG = """\
hostname = "mail.bench.test"
state = "state"
domains = ["bench.test"]

[passwords]
memory_mib = 1
passes = 1
lanes = 1
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--accounts", type=int, default=300)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--shift", type=int, default=0, help="added to the ports")
    arguments = parser.parse_args()
    folder = arguments.folder.absolute()
    sink = SINK + arguments.shift
    ports = {name: (kind, port + arguments.shift, tls) for name, (kind, port, tls) in PORTS.items()}
    if not (folder / "mail.toml").exists():
        make(folder, arguments.accounts, arguments.workers, ports, relay=sink)
    write_spec(folder, arguments.workers, ports, sink)
    twistd = str(Path(sys.executable).parent / "twistd")
    options = ["--nodaemon", f"--pidfile={folder}/pid", f"--logfile={folder}/log"]
    config = ["mailserver", "--config", str(folder / "mail.toml")]
    os.execv(twistd, [twistd, *options, *config])


def make(
    folder: Path,
    count: int,
    workers: int,
    ports: dict[str, tuple[str, int, str]] = PORTS,
    stored: str = "{PLAIN}secret",
    relay: int = SINK,
    sending: str = "",
) -> None:
    """Make the configuration and the accounts; ``ports`` are service, port and TLS by name.

    ``stored`` is the hash of their password; ``relay`` the port that mail for other domains is sent to,
    unless ``sending`` has sections that say something else.
    """
    folder.mkdir(parents=True)
    certificates.make(folder / "state" / "tls", HOSTNAME)
    listeners = "".join(
        f'[[listener]]\nservice = "{service}"\nendpoint = "tcp:{port}:backlog=500:interface=127.0.0.1"\n'
        f'tls = "{tls}"\ncleartext_passwords = true\nconnections_per_address = 10000\n'
        for service, port, tls in ports.values()
    )
    crew = f'[workers]\nnumber = {workers}\n[log]\nfile = "mail.log"\n'
    onward = f'[sending]\nrelay = "smtp://127.0.0.1:{relay}"\nrelay_tls = "none"\n'
    onward += 'allows_private = ["127.0.0.0/8"]\n'
    (folder / "mail.toml").write_text(CONFIG + crew + (sending or onward) + listeners)
    (folder / "state").chmod(0o700)
    config = load(folder / "mail.toml")
    with DirectoryEditor(config.accounts_file, config.passwords, config.domains) as register:
        accounts = [f"u{one}@bench.test" for one in range(count)]
        register.accounts.import_lines(f"{one}:{stored}" for one in accounts)
        for one in accounts:
            register.grants.allow(one, [SENDER])


def write_spec(
    folder: Path, workers: int, ports: dict[str, tuple[str, int, str]], sink: int
) -> None:
    """Write where everything is, as ``bench.compare`` reads it."""
    account = f"{folder}/state/mail/bench.test/u{{n}}"
    spec = {
        "name": "twisted_mail" + (f" {workers}w" if workers else ""),
        "host": "127.0.0.1",
        "ports": {name: port for name, (_, port, _) in ports.items()},
        "users": {"fmt": "u{n}@bench.test", "pass": "secret", "rcpt": "u{n}@bench.test"},
        "maildir": f"{account}/Maildir",
        "index_paths": [f"{account}/{name}.sqlite3*" for name in ("index", "search")],
        "count_dirs": [f"{account}/Maildir/new", f"{account}/Maildir/cur"],
        "procs": {"pidfiles": [f"{folder}/pid"]},
        "submit_from": SENDER,
        "relay": {"domain": RELAYED, "sink_port": sink},
    }
    (folder / "spec.json").write_text(json.dumps(spec, indent=1))


if __name__ == "__main__":
    main()
