import random
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twisted_mail.queue.spool.mending.database_pages import DatabasePages
from twisted_mail.queue.spool.mending.leaf_pages import leaf_rows

values = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False).filter(lambda number: not number.is_integer()),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300),
    st.binary(max_size=9000),
)


def make(path: Path, rows: list[tuple], page_size: int = 4096) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.pragma("page_size", page_size)
    connection.pragma("auto_vacuum", 2)
    connection.execute("CREATE TABLE t (row INTEGER PRIMARY KEY, a, b, c, d, e, f)")
    with connection:
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    return connection


def read(path: Path, page_size: int = 4096) -> dict[int, tuple]:
    pages = DatabasePages(str(path), page_size)
    try:
        return {
            row.number: row.values[1:]
            for number in pages.used()
            for row in leaf_rows(pages.read(number), number, pages.read)
            if len(row.values) == 7
        }
    finally:
        pages.close()


@settings(max_examples=60)
@given(
    st.dictionaries(st.integers(-(2**62), 2**62), st.tuples(*[values] * 6), max_size=30),
    st.sampled_from([512, 4096, 65536]),
)
def test_all_rows_of_a_whole_database_are_read(tmp_path_factory, table, page_size):
    path = tmp_path_factory.mktemp("leaf") / "database"
    make(path, [(number, *row) for number, row in table.items()], page_size).close()
    assert read(path) == table


@given(st.binary(max_size=600), st.integers(1, 3))
def test_any_octets_are_a_page_without_bugs(data: bytes, number: int):
    start = b"\0" * 100 if number == 1 else b""
    page = start + b"\x0d" + data
    rows = list(leaf_rows(page, number, lambda _: data))
    assert len(rows) <= len(page) // 2


def test_a_chain_of_pages_in_a_circle_ends(tmp_path: Path):
    make(tmp_path / "database", [(1, b"x" * 20_000, *[None] * 5)]).close()
    pages = DatabasePages(str(tmp_path / "database"), 4096)
    leaf = next(n for n in pages.used() if n > 2 and list(leaf_rows(pages.read(n), n, pages.read)))
    circle = pages.read(leaf + 1)
    rows = list(leaf_rows(pages.read(leaf), leaf, lambda _: (leaf + 1).to_bytes(4) + circle[4:]))
    assert len(rows[0].values[1]) == 20_000
    pages.close()


def test_the_log_counts_up_to_its_last_commit(tmp_path: Path):
    path = tmp_path / "database"
    connection = make(path, [(1, *"abcdef")])
    connection.pragma("journal_mode", "wal")
    connection.wal_autocheckpoint(0)
    connection.execute("UPDATE t SET a = 'new' WHERE row = 1")
    before = (tmp_path / "database-wal").stat().st_size
    connection.execute("UPDATE t SET a = 'torn' WHERE row = 1")
    assert read(path)[1][0] == "torn"
    log = (tmp_path / "database-wal").read_bytes()
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    for torn in (log[:before], log[:-1], log[:-4096] + b"\0" * 4096):
        (tmp_path / "copy-wal").write_bytes(torn)
        assert read(copy)[1][0] == "new"
    (tmp_path / "copy-wal").write_bytes(b"nonsense" * 1000)
    assert read(copy)[1][0] == "a"
    connection.close()


def test_rows_that_were_removed_do_not_come_back(tmp_path: Path):
    path = tmp_path / "database"
    chance = random.Random(1)
    rows = [(n, chance.randbytes(chance.choice([50, 3000, 9000])), *[n] * 5) for n in range(1000)]
    connection = make(path, rows)
    connection.execute("DELETE FROM t WHERE row % 10 != 0 OR row > 500")
    connection.close()
    assert sorted(read(path)) == list(range(0, 501, 10))


@pytest.mark.parametrize("size", [4096, 700])
def test_rows_on_other_pages_are_read_when_some_are_damaged(tmp_path: Path, size: int):
    path = tmp_path / "database"
    chance = random.Random(2)
    make(path, [(n, chance.randbytes(200), *[n] * 5) for n in range(5000)]).close()
    pages = DatabasePages(str(path), 4096)
    used = {n: list(leaf_rows(pages.read(n), n, pages.read)) for n in pages.used()}
    pages.close()
    data = bytearray(path.read_bytes())
    hit = chance.sample(range(1, len(data) // 4096 + 1), 30)
    for page in hit:
        data[(page - 1) * 4096 : (page - 1) * 4096 + size] = chance.randbytes(size)
    path.write_bytes(data)
    found = read(path)
    whole = {row.number: row.values[1:] for n in used for row in used[n] if n not in hit and n > 2}
    assert len(whole) > 4000
    assert whole.items() <= found.items()
