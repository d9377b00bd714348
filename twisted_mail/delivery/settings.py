"""What an operator may set for addresses."""

from dataclasses import dataclass

from twisted_mail.mail.address import parse

_SIGNS = frozenset("!#$%&'*+-/=?^_`{|}~.")


@dataclass(frozen=True, slots=True)
class AddressSettings:
    """The section ``[addresses]``.

    ``postmaster`` is the address that takes the mail for the postmaster of every domain without one. With
    ``save_to_detail_mailbox`` mail for ``alice+lists`` goes to her mailbox ``lists``, if there is one.
    """

    separators: str = "+"  # each may stand between user and detail; none: there are no details
    postmaster: str = ""
    save_to_detail_mailbox: bool = False

    def __post_init__(self) -> None:
        if not _SIGNS.issuperset(self.separators):
            raise ValueError(f"separators may have these signs: {' '.join(sorted(_SIGNS))}")
        try:
            is_whole = not self.postmaster or parse(self.postmaster).domain
        except ValueError as error:
            raise ValueError(
                f"postmaster: {self.postmaster!r} is not an address: {error}"
            ) from None
        if not is_whole:
            raise ValueError("postmaster must be an address with its domain")
