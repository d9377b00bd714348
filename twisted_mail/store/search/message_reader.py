"""Reading messages where they lay a moment ago, and what the full-text index takes of them.

In any thread. What lies elsewhere by now, or cannot be read, is left to the account's lane.
"""

from collections.abc import Callable

from twisted_mail.mail.line_ends import with_crlf
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE
from twisted_mail.mail.message import without_nul
from twisted_mail.mail.mime import header
from twisted_mail.mail.mime.substring_search import Searchable, searchable
from twisted_mail.store.disk.faults import is_of_one_file
from twisted_mail.store.environment import StoreEnvironment
from twisted_mail.store.reading import contents
from twisted_mail.store.search.fields import fields_in, fields_of
from twisted_mail.store.search.fulltext import IndexedContent
from twisted_mail.store.search.indexed_messages import MessageKey
from twisted_mail.store.search.located_messages import LocatedMessage
from twisted_mail.store.search.texts import text_of

HEADER = 16 * 1024  # octets in which the end of a header is looked for; else the whole file is read

Note = Callable[[bytes, OSError], None]


def ignore(path: bytes, error: OSError) -> None:
    """Leave an error to whoever tries next."""


class MessageReader:
    """Reads the messages of one store.

    An error of the disk that is of one file is noted, and the message passed over (None); any other
    raises Unavailable.
    """

    def __init__(self, environment: StoreEnvironment) -> None:
        self._disk = environment.disk
        self._faults = environment.faults
        self._wholes = environment.memory_limit
        self._text_limit = environment.settings.search_text_limit

    def text(
        self, file: LocatedMessage, note: Note = ignore
    ) -> tuple[Searchable, IndexedContent] | None:
        """Return the text of a message, and what the index takes of it."""
        with self._wholes.holding(file.row.size):
            data = self._tried(self._whole, file, note)
            if data is None:
                return None
            text = searchable(data)
            fields = fields_of(text.fields) if text.has_all_headers else fields_in(data)
        return text, IndexedContent(_key(file), fields, text_of(text, self._text_limit))

    def header(self, file: LocatedMessage, note: Note = ignore) -> bytes | None:
        """Return the octets of a message up to the end of its header, or more."""
        return self._tried(self._header, file, note)

    def _tried(
        self, read: Callable[[LocatedMessage], bytes], file: LocatedMessage, note: Note
    ) -> bytes | None:
        try:
            return read(file)
        except FileNotFoundError:
            return None
        except OSError as error:
            if not is_of_one_file(error):
                raise self._faults.unavailable(file.path, error) from error
            note(file.path, error)
            return None

    def _whole(self, file: LocatedMessage) -> bytes:
        return contents.read_whole_file(self._disk, file.path, file.row)

    def _header(self, file: LocatedMessage) -> bytes:
        data = self._beginning(file)
        if data is None:
            with self._wholes.holding(file.row.size):
                data = self._whole(file)
        return data

    def _beginning(self, file: LocatedMessage) -> bytes | None:
        """Return the first octets, if the header ends in them."""
        if file.row.date == UNKNOWN_DATE:  # it was not found just now
            raise FileNotFoundError
        fd = self._disk.open(file.path)
        try:
            data = self._disk.read(fd, HEADER, 0)
        finally:
            self._disk.close(fd)
        is_whole = len(data) == file.row.stored
        data = without_nul(data if file.row.size == file.row.stored else with_crlf(data))
        end = header.end(data)
        return data[:end] if is_whole or end < len(data) else None


def header_of(file: LocatedMessage, data: bytes) -> IndexedContent:
    """Return what the index takes of a message's header."""
    return IndexedContent(_key(file), fields_in(data))


def _key(file: LocatedMessage) -> MessageKey:
    return MessageKey(file.row.uid, file.row.base, file.row.stored)
