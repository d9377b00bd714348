"""One server as the load generator sees it: ports, users, mailboxes, processes."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.compare.generator import ImapCommands
from bench.compare.places import ROOT
from bench.compare.processes import ProcessTree

# The users of each purpose; no two workloads that alter mailboxes share one.
USERS = {
    "smtp": (0, 99),
    "small": (100, 199),
    "big": (200, 249),
    "pop": (250, 269),
    "huge": (270, 279),
    "append": (280, 299),
}


class Endpoint:
    """A server by its spec, a JSON file that is described in ``bench/README.md``.

    ``restart`` starts it afresh, where the comparison has started it.
    """

    def __init__(self, path: Path, restart: Callable[[], None] | None = None) -> None:
        known = {**os.environ, "PEERS_ROOT": str(ROOT)}
        text = re.sub(r"\$\{(\w+)\}", lambda name: known[name[1]], path.read_text())
        self.spec: dict[str, Any] = json.loads(text)
        self.name: str = self.spec["name"]
        self.ports: dict[str, int] = self.spec["ports"]
        self.restart = restart
        processes = self.spec["procs"]
        self.processes = ProcessTree(processes["pidfiles"], processes.get("cgroups", ()))
        self.filled: dict[str, object] = {}  # what its mailboxes hold, by purpose

    def has(self, service: str) -> bool:
        """Return whether it has a port for a service, or mail for a domain goes to a sink: ``relay``."""
        return service in self.ports or service in self.spec

    def at(self, service: str, tls: str = "none") -> list[str]:
        """Return the generator's words for a service; ``tls`` is none, tls or starttls."""
        return [f"host={self.spec['host']}", f"port={self.ports[service]}", f"tls={tls}"]

    def credentials(self) -> list[str]:
        users = self.spec["users"]
        return [f"user={users['fmt']}", f"pass={users['pass']}"]

    def recipient(self) -> str:
        return f"rcpt={self.spec['users']['rcpt']}"

    def sender(self) -> str:
        return f"from={self.spec.get('mail_from', 'sender@origin.test')}"

    def users(self, purpose: str) -> list[str]:
        first, last = USERS[purpose]
        return [f"ulo={first}", f"uhi={last}"]

    def user(self, purpose: str, turn: int) -> int:
        """Return the number of a user whose mailbox no earlier turn has filled."""
        first, last = USERS[purpose]
        return first + turn % (last - first + 1)

    def imap(self, user: int, tls: str = "none") -> ImapCommands:
        service = "imaps" if tls == "tls" else "imap"
        return ImapCommands(*self.at(service, tls), f"u={user}", *self.credentials())

    def maildir(self, user: int) -> Path:
        return Path(self.spec["maildir"].replace("{n}", str(user)))
