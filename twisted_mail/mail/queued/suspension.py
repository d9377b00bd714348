"""What the operator has stopped for a while."""

from dataclasses import dataclass
from typing import Literal, get_args

from twisted_mail.mail.queued.destination import SMTP
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob

SuspensionKind = Literal["domain", "site", "sender", "account"]
SUSPENSION_KINDS: tuple[SuspensionKind, ...] = get_args(SuspensionKind)


@dataclass(frozen=True, slots=True)
class Suspension:
    """Mail for a domain or a site, or of a sender or an account, is not tried until a time.

    ``name`` is the domain in A-labels, the site's name, the sender's address (or ``@domain`` for all of
    it) or the account, in the canonical spelling. ``until`` and ``since`` are in seconds since
    1970; without ``until`` (0) it holds until the word ``resume``. New mail is taken all the same,
    and waits.
    """

    kind: SuspensionKind
    name: str
    until: float = 0.0
    since: float = 0.0

    def holds(self, now: float) -> bool:
        """Return whether it is in force."""
        return not self.until or now < self.until

    def stops(self, job: QueuedJob, recipient: OwedRecipient, site: str) -> bool:
        """Return whether a recipient is one that it is about; ``site`` is that of the destination."""
        match self.kind:
            case "domain":
                destination = recipient.destination
                return (destination.carrier, destination.name) == (SMTP, self.name)
            case "site":
                return site == self.name
            case "account":
                return job.submitter == self.name
        return self.name in (job.sender.key, f"@{job.sender.domain}")

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
