"""What an operator may set for reports."""

from dataclasses import dataclass

from twisted_mail.mail.address import parse


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """The section ``[reports]``: what senders hear of their mail.

    ``templates`` is a folder with texts that take the place of ours, or empty. ``postmaster`` gets the
    reports whose sender cannot be told; without one they go to nobody.
    """

    returned: int = 50 * 1024  # octets of a message that go back whole; of a larger one, the header
    templates: str = ""
    rate: int = 100  # most reports to one sender in an hour; 0: any number
    postmaster: str = ""

    def __post_init__(self) -> None:
        if min(self.returned, self.rate) < 0:
            raise ValueError("returned and rate must be 0 or more")
        if self.postmaster:
            _parse(self.postmaster)


def _parse(postmaster: str) -> None:
    try:
        parse(postmaster)
    except ValueError as error:
        raise ValueError(f"postmaster {postmaster!r}: {error}") from None
