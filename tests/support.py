"""What tests of pure rooms share. It lies in ``twisted_mail.testing`` now; import it from there."""

from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.journal import ListJournal as NoteJournal
from twisted_mail.testing.resolver import FakeResolver

__all__ = ["FakeResolver", "InlineBlocking", "NoteJournal", "StillClock", "finish"]
