"""The words of texts in SQLite's FTS5: one table for bodies, one for headers and names of parts.

Each keeps which messages have a word, and nothing else of the text. Its vocabulary, the words of all
messages, is read from one end to the other for a piece that may be anywhere in a word.
"""

from collections.abc import Iterable, Sequence

from twisted_mail.store.search.text_database import TABLES, TextDatabase
from twisted_mail.store.search.texts import IndexedText
from twisted_mail.store.search.words import BEGINS, HOLDS, Piece, indexed

# The vocabulary of an account is not read to choose among so few messages: they are read sooner.
FEW_CANDIDATES = 100


class WordTables:
    """Both tables of one database. Methods are called in a transaction; messages go by their ids."""

    def __init__(self, file: TextDatabase) -> None:
        self._file = file

    def candidates(
        self,
        bounds: tuple[int, int],
        pieces: Sequence[Piece],
        tables: Iterable[str],
        most_words: int,
    ) -> set[int] | None:
        """Return the messages between two that have what all pieces say, in one of the tables.

        There may be some more, and there is at least one piece. Returns None where that would take a look
        at the messages of more than ``most_words`` words.
        """
        found: set[int] = set()
        for table in tables:
            inside = self._in(table, bounds, sorted(pieces), most_words)
            if inside is None:
                return None
            found |= inside
        return found

    def _in(
        self, table: str, bounds: tuple[int, int], pieces: Sequence[Piece], most_words: int
    ) -> set[int] | None:
        found: set[int] | None = None
        for piece in pieces:
            enough = FEW_CANDIDATES if piece.how == HOLDS else 0
            if found is not None and len(found) <= enough:
                break
            having = self._having(table, bounds, piece, most_words)
            if having is not None:
                found = having if found is None else found & having
        return found

    def _having(
        self, table: str, bounds: tuple[int, int], piece: Piece, most_words: int
    ) -> set[int] | None:
        if piece.how == HOLDS:
            return self._having_any(table, bounds, piece.text, most_words)
        return self._matching(table, bounds, f'"{piece.text}"' + " *" * (piece.how == BEGINS))

    def _having_any(
        self, table: str, bounds: tuple[int, int], part: str, most_words: int
    ) -> set[int] | None:
        """Return the messages that have any word with a part, unless these are too many."""
        query = f"SELECT term FROM temp.{table}_words WHERE instr(term, ?) LIMIT ?"
        words = self._file.connection.execute(query, (part, most_words + 1))
        found: set[int] = set()
        for number, (word,) in enumerate(words):
            if number == most_words:
                return None
            found |= self._matching(table, bounds, f'"{word}"')
        return found

    def _matching(self, table: str, bounds: tuple[int, int], phrase: str) -> set[int]:
        query = f"SELECT rowid FROM {table} WHERE {table} MATCH ? AND rowid BETWEEN ? AND ?"
        rows = self._file.connection.execute(query, (phrase, *bounds))
        return {message for (message,) in rows}

    def put(self, texts: Sequence[tuple[int, IndexedText]]) -> None:
        """Write texts of messages, in the place of what may be there."""
        bodies = [(message, indexed(text.body)) for message, text in texts]
        others = [(message, indexed(f"{text.headers}\n{text.names}")) for message, text in texts]
        for table, rows in zip(TABLES, (bodies, others), strict=True):
            self._file.connection.executemany(
                f"INSERT OR REPLACE INTO {table} (rowid, words) VALUES (?, ?)", rows
            )

    def drop(self, messages: Sequence[tuple[int]]) -> None:
        """Forget messages."""
        for table in TABLES:
            self._file.connection.executemany(f"DELETE FROM {table} WHERE rowid = ?", messages)
