"""The words of texts in SQLite's FTS5: one table for bodies, one for headers and names of parts.

Each keeps which messages have a word, and nothing else of the text. Its vocabulary, the words of all
messages, is read from one end to the other for a piece that may be anywhere in a word.
"""

from collections.abc import Iterable, Sequence

from twisted_mail.store.search.textfile import TABLES, TextDatabase
from twisted_mail.store.search.texts import IndexedText
from twisted_mail.store.search.words import HOLDS, IS, Piece, indexed

# The vocabulary of an account is not read to choose among so few messages: they are read sooner.
FEW_CANDIDATES = 100


class WordTables:
    """Both tables of one database. Methods are called in a transaction; messages go by their ids."""

    def __init__(self, file: TextDatabase) -> None:
        self._file = file

    def candidates(
        self, bounds: tuple[int, int], pieces: Sequence[Piece], tables: Iterable[str]
    ) -> set[int]:
        """Return the messages between two that have what all pieces say, in one of the tables.

        There may be some more, and there is at least one piece.
        """
        return set().union(*(self._in(table, bounds, sorted(pieces)) for table in tables))

    def _in(self, table: str, bounds: tuple[int, int], pieces: Sequence[Piece]) -> set[int]:
        first, *others = pieces
        found = self._having(table, bounds, first)
        for piece in others:
            enough = FEW_CANDIDATES if piece.how == HOLDS else 0
            if len(found) <= enough:
                break
            found &= self._having(table, bounds, piece)
        return found

    def _having(self, table: str, bounds: tuple[int, int], piece: Piece) -> set[int]:
        if piece.how == HOLDS:
            query = (
                f"SELECT {table}.rowid FROM temp.{table}_words AS word CROSS JOIN {table}"
                f" WHERE instr(word.term, ?) AND {table} MATCH '\"' || word.term || '\"'"
                f" AND {table}.rowid BETWEEN ? AND ?"
            )
            rows = self._file.connection.execute(query, (piece.text, *bounds))
        else:
            query = f"SELECT rowid FROM {table} WHERE {table} MATCH ? AND rowid BETWEEN ? AND ?"
            phrase = f'"{piece.text}"' if piece.how == IS else f'"{piece.text}" *'
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
