"""Who works behind the mail that waits: the doors inside this room."""

from typing import Protocol

from twisted_mail.delivery.parcel import Parcel
from twisted_mail.delivery.parcels import ParcelBlob
from twisted_mail.delivery.program import Ended
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.route import ListMail


class Doer(Protocol):
    """Does errands of one kind."""

    async def do(self, parcel: Parcel, blob: ParcelBlob) -> Ended:
        """Try once; return how it ended. Raises MailError, which counts as a failure for now."""


class Admission(Protocol):
    """Says whether a mailing list takes a message."""

    async def admit(self, envelope: Envelope, mail: ListMail, header: bytes) -> str | None:
        """Return the empty text for a message that is taken, or why it is held; None to drop it.

        Raises Refused and Unavailable.
        """

    async def tell_held(self, parcel: Parcel, blob: ParcelBlob) -> None:
        """Tell those who may say a word that a message is held. Raises Unavailable."""


class Reports(Protocol):
    """Tells senders what became of their mail."""

    async def failed(self, parcel: Parcel, ended: Ended, blob: ParcelBlob) -> None:
        """Tell the sender that a message was not handed on. Raises MailError when that is impossible."""
