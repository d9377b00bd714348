"""What makes the items of messages that the store keeps."""

from typing import Protocol

from twisted_mail.mail.mailbox.entry import ItemTier, RenderedItems


class Renderer(Protocol):
    """Makes the rendered items of a message; the store calls it and keeps the result."""

    version: int

    def __call__(
        self,
        data: bytes,
        tier: ItemTier = ItemTier.PREVIEW,
        known: RenderedItems | None = None,
    ) -> RenderedItems:
        """Render one message up to a tier; for that of the header, ``data`` may end with the header.

        ``known`` are its items of a lower tier by this version. Never raises on hostile bytes, and may
        take milliseconds.
        """
