"""Outcomes and the three kinds of error that carry one.

An error that one room raises to another is a ``ProtocolError`` (the peer broke grammar or
order), a ``Refused`` (we will not) or an ``Unavailable`` (we cannot now). Anything else is a bug.
The peer gets the text of an outcome: it never names a file, a program or a traceback.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Outcome:
    """How something ended: SMTP reply code, enhanced status code and text.

    Reply codes are those of RFC 5321 §4.2, enhanced codes those of RFC 3463 §2.
    """

    code: int
    enhanced: str
    text: str

    @property
    def is_success(self) -> bool:
        """True when the request has been carried out."""
        return 200 <= self.code < 400

    @property
    def is_temporary(self) -> bool:
        """True when the same request may succeed later."""
        return 400 <= self.code < 500


class MailError(Exception):
    """Base of the three kinds.

    ``outcome`` is the reply of SMTP. ``condition`` is the response code of IMAP and POP3 in brackets
    (RFC 5530 §3, RFC 2449 §8), or empty.
    """

    code: ClassVar[int] = 451
    enhanced: ClassVar[str] = "4.3.0"

    def __init__(self, outcome: Outcome | str, condition: str = "") -> None:
        if isinstance(outcome, str):
            outcome = Outcome(self.code, self.enhanced, outcome)
        super().__init__(outcome.text)
        self.outcome = outcome
        self.condition = condition


class ProtocolError(MailError):
    """The peer broke grammar or order."""

    code = 500
    enhanced = "5.5.2"


class Refused(MailError):
    """We will not do this, now or later, unless the outcome is temporary."""

    code = 550
    enhanced = "5.7.1"


class Unavailable(MailError):
    """We cannot do this now: a full disk, a lost database, a limit that will pass."""

    code = 451
    enhanced = "4.3.0"

    def __init__(self, outcome: Outcome | str, condition: str = "UNAVAILABLE") -> None:
        super().__init__(outcome, condition)
