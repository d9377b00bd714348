"""What an operator may set for addresses."""

from dataclasses import dataclass

_SIGNS = frozenset("!#$%&'*+-/=?^_`{|}~.")


@dataclass(frozen=True, slots=True)
class AddressSettings:
    """The section ``[addresses]``."""

    separators: str = "+"  # each may stand between user and detail; none: there are no details

    def __post_init__(self) -> None:
        if not _SIGNS.issuperset(self.separators):
            raise ValueError(f"separators may have these signs: {' '.join(sorted(_SIGNS))}")
