from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.directory.refusals import lead
from twisted_mail.directory.editing.account_import import AccountImportError
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.directory.passwords import PasswordSettings, hash_password, is_current
from twisted_mail.directory.sqlite import AddressRecord, SqliteDirectory
from twisted_mail.interfaces import LoginAttempt
from twisted_mail.mail.address import parse
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.directory_entry import NO_ENTRY, DirectoryEntry, catch_all_address
from twisted_mail.mail.outcome import Refused, Unavailable
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

CHEAP = PasswordSettings(memory_mib=1, passes=1, lanes=1)


class CountingBlocking(InlineBlocking):
    """Counts the trips to a thread; may be full."""

    def __init__(self) -> None:
        self.trips: list[str] = []
        self.is_full = False

    async def run(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.is_full:
            raise Unavailable("full")
        self.trips.append(work.__name__)
        return work(*args, **kwargs)

    def lane(self) -> "CountingBlocking":
        return self


class DirectoryFixture:
    """A directory, the editor that edits it from outside, and what happened in threads."""

    def __init__(self, path: Path, cost: PasswordSettings = CHEAP) -> None:
        self.editor = DirectoryEditor(path, cost, ["example.org"])
        self.editor.accounts.add("Alice@example.org", "secret")
        lead(self.editor, "team@example.org", "alice@example.org", "x@elsewhere.example")
        self.clock = StillClock()
        self.reports: list[tuple[str, Exception]] = []
        self.blocking, self.hashing = CountingBlocking(), CountingBlocking()
        self.directory = SqliteDirectory(
            path,
            self.blocking,
            self.hashing,
            cost,
            ["Example.org"],
            self.clock.monotonic,
            lambda where, error: self.reports.append((where, error)),
        )

    def login(self, name: str, password: str) -> str | None:
        return finish(self.directory.verify(Credentials(name, password)))

    def stored(self) -> str:
        return str(next(self.editor._tables.connection.execute("SELECT hash FROM account"))[0])


@pytest.fixture
def fixture(tmp_path: Path) -> Iterator[DirectoryFixture]:
    made = DirectoryFixture(tmp_path / "accounts")
    yield made
    made.directory.close()
    made.editor.close()


# ---------------------------------------------------------------- look-ups


def test_an_account_is_found_whatever_the_case(fixture: DirectoryFixture) -> None:
    assert finish(fixture.directory.account(parse("aLICE@EXAMPLE.org"))) == "alice@example.org"
    assert finish(fixture.directory.account(parse("bob@example.org"))) is None
    assert finish(fixture.directory.account(parse("alice@example.net"))) is None


def test_an_alias_leads_one_step_in_order(fixture: DirectoryFixture) -> None:
    targets = finish(fixture.directory.targets(parse("Team@example.org")))
    assert [str(target) for target in targets] == ["alice@example.org", "x@elsewhere.example"]
    assert finish(fixture.directory.targets(parse("alice@example.org"))) == ()
    assert finish(fixture.directory.account(parse("team@example.org"))) is None


def test_domains_of_both_sources_are_ours(fixture: DirectoryFixture) -> None:
    fixture.editor.domains.add("example.net")
    assert finish(fixture.directory.is_ours("EXAMPLE.org"))
    assert finish(fixture.directory.is_ours("Example.Net"))
    assert not finish(fixture.directory.is_ours("elsewhere.example"))
    assert not finish(fixture.directory.is_ours(""))


def test_answers_are_kept_in_memory(fixture: DirectoryFixture) -> None:
    for _ in range(3):
        finish(fixture.directory.account(parse("alice@example.org")))
        finish(fixture.directory.account(parse("nobody@example.org")))
        finish(fixture.directory.is_ours("elsewhere.example"))
    assert fixture.blocking.trips == ["read_homes", "read_record", "read_record"]


def test_what_another_connection_commits_is_seen_at_once(fixture: DirectoryFixture) -> None:
    address = parse("bob@example.org")
    assert finish(fixture.directory.account(address)) is None
    fixture.editor.accounts.add("bob@example.org", "x")
    assert finish(fixture.directory.account(address)) == "bob@example.org"
    fixture.editor.accounts.remove("bob@example.org")
    assert finish(fixture.directory.account(address)) is None
    assert not finish(fixture.directory.is_ours("example.net"))
    fixture.editor.domains.add("example.net")
    assert finish(fixture.directory.is_ours("example.net"))


def test_the_version_is_another_after_a_commit_and_the_same_until_then(
    fixture: DirectoryFixture,
) -> None:
    before = fixture.directory.version()
    finish(fixture.directory.account(parse("alice@example.org")))
    assert fixture.directory.version() == before
    fixture.editor.accounts.add("new@example.org", "secret")
    assert fixture.directory.version() != before


def test_an_answer_that_a_change_overtook_is_not_kept(fixture: DirectoryFixture) -> None:
    read = fixture.directory._reader.read_record
    bob = parse("bob@example.org")

    def overtaken(key: str) -> AddressRecord:
        listing = read(key)
        fixture.directory._reader.read_record = read  # type: ignore[method-assign]
        fixture.editor.accounts.add("bob@example.org", "x")
        finish(
            fixture.directory.account(parse("alice@example.org"))
        )  # somebody else asks meanwhile
        return listing

    fixture.directory._reader.read_record = overtaken  # type: ignore[method-assign]
    assert finish(fixture.directory.account(bob)) is None
    assert finish(fixture.directory.account(bob)) == "bob@example.org"


def test_unknown_addresses_do_not_fill_the_memory(
    fixture: DirectoryFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twisted_mail.directory.sqlite.MAX_RECORDS", 10)
    for number in range(100):
        finish(fixture.directory.account(parse(f"x{number}@example.org")))
    assert len(fixture.directory._records) <= 10


def test_a_closed_database_is_unavailable(fixture: DirectoryFixture) -> None:
    fixture.directory.close()
    with pytest.raises(Unavailable):
        finish(fixture.directory.account(parse("alice@example.org")))


def test_a_broken_reader_is_unavailable(fixture: DirectoryFixture) -> None:
    fixture.directory._reader.close()
    with pytest.raises(Unavailable):
        finish(fixture.directory.account(parse("bob@example.org")))
    with pytest.raises(Unavailable):
        finish(fixture.directory.is_ours("example.net"))


def test_the_watch_never_waits_for_a_writer(fixture: DirectoryFixture, tmp_path: Path) -> None:
    other = apsw.Connection(str(tmp_path / "accounts"))
    other.execute("BEGIN IMMEDIATE")
    assert finish(fixture.directory.account(parse("alice@example.org"))) == "alice@example.org"
    other.execute("ROLLBACK")


# ---------------------------------------------------------------- logins


def test_the_right_password_gives_the_name_as_it_was_written(fixture: DirectoryFixture) -> None:
    assert fixture.login("ALICE@example.org", "secret") == "alice@example.org"
    fixture.editor._tables.connection.execute("UPDATE account SET address = 'Alice@example.org'")
    assert fixture.login("ALICE@example.org", "secret") == "Alice@example.org"


def test_a_login_may_have_another_name_of_the_domain(fixture: DirectoryFixture) -> None:
    assert fixture.login("alice@example.com", "secret") is None
    fixture.editor.domains.add_name("example.com", "example.org")
    assert fixture.login("Alice@EXAMPLE.com", "secret") == "alice@example.org"
    assert fixture.login("alice@example.com", "wrong") is None


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice@example.org", "wrong"),
        ("alice@example.org", ""),
        ("nobody@example.org", "secret"),
        ("team@example.org", "secret"),
        ("alice", "secret"),
        ("", "secret"),
        ("a" * 10_000, "secret"),
        ("alice@example.org\0", "secret"),
    ],
)
def test_whatever_is_wrong_costs_one_check(
    fixture: DirectoryFixture, name: str, password: str
) -> None:
    assert fixture.login(name, password) is None
    assert fixture.hashing.trips == ["check"]


def test_a_right_password_is_remembered_for_a_while(fixture: DirectoryFixture) -> None:
    for _ in range(3):
        assert fixture.login("alice@example.org", "secret")
    assert fixture.hashing.trips == ["check"]
    fixture.clock.seconds += CHEAP.remembered_seconds
    assert fixture.login("alice@example.org", "secret")
    assert fixture.hashing.trips == ["check", "check"]


def test_a_wrong_password_is_never_remembered(fixture: DirectoryFixture) -> None:
    fixture.login("alice@example.org", "wrong")
    fixture.login("alice@example.org", "wrong")
    assert fixture.hashing.trips == ["check", "check"]


def test_a_new_password_ends_the_old_one_at_once(fixture: DirectoryFixture) -> None:
    assert fixture.login("alice@example.org", "secret")
    fixture.editor.accounts.set_password("alice@example.org", "other")
    assert fixture.login("alice@example.org", "secret") is None
    assert fixture.login("alice@example.org", "other")


def test_a_disabled_account_receives_and_does_not_log_in(fixture: DirectoryFixture) -> None:
    assert fixture.login("alice@example.org", "secret")
    fixture.editor.accounts.enable("alice@example.org", False)
    assert fixture.login("alice@example.org", "secret") is None
    assert finish(fixture.directory.account(parse("alice@example.org")))
    fixture.editor.accounts.enable("alice@example.org", True)
    assert fixture.login("alice@example.org", "secret")


def test_too_many_waiting_checks_are_unavailable(fixture: DirectoryFixture) -> None:
    fixture.hashing.is_full = True
    with pytest.raises(Unavailable):
        fixture.login("alice@example.org", "secret")
    with pytest.raises(Unavailable):
        fixture.login("nobody@example.org", "secret")


def test_a_hash_that_cannot_be_checked_is_unavailable(fixture: DirectoryFixture) -> None:
    fixture.editor.accounts.import_lines(["alice@example.org:{PLAIN}x"], is_replacing=True)
    fixture.editor._tables.connection.execute("UPDATE account SET hash = '{NOPE}x'")
    with pytest.raises(Unavailable):
        fixture.login("alice@example.org", "x")


# ---------------------------------------------------------------- renewal


def test_a_hash_of_another_scheme_is_renewed_at_login(fixture: DirectoryFixture) -> None:
    fixture.editor.accounts.import_lines(["alice@example.org:{PLAIN}secret"], is_replacing=True)
    assert fixture.login("alice@example.org", "wrong") is None
    assert fixture.stored() == "{PLAIN}secret"
    assert fixture.login("alice@example.org", "secret")
    assert is_current(fixture.stored(), CHEAP)
    assert fixture.login("alice@example.org", "secret")
    assert fixture.hashing.trips == ["check", "check", "hash_password"]


def test_a_hash_of_another_cost_is_renewed_at_login(fixture: DirectoryFixture) -> None:
    weak = hash_password("secret", PasswordSettings(1, 2, 1))
    fixture.editor.accounts.import_lines([f"alice@example.org:{weak}"], is_replacing=True)
    assert fixture.login("alice@example.org", "secret")
    assert is_current(fixture.stored(), CHEAP)


def test_hashes_stay_where_renewal_is_off(tmp_path: Path) -> None:
    fixture = DirectoryFixture(tmp_path / "accounts", PasswordSettings(1, 1, 1, is_upgraded=False))
    fixture.editor.accounts.import_lines(["alice@example.org:{PLAIN}secret"], is_replacing=True)
    assert fixture.login("alice@example.org", "secret")
    assert fixture.stored() == "{PLAIN}secret"


def test_a_directory_that_cannot_be_written_does_not_stop_a_login(
    fixture: DirectoryFixture,
) -> None:
    fixture.editor.accounts.import_lines(["alice@example.org:{PLAIN}secret"], is_replacing=True)
    fixture.directory._reader._connection.pragma("query_only", True)
    assert fixture.login("alice@example.org", "secret")
    assert fixture.stored() == "{PLAIN}secret"


def test_a_password_that_changed_during_the_renewal_stays(fixture: DirectoryFixture) -> None:
    fixture.editor.accounts.import_lines(["alice@example.org:{PLAIN}secret"], is_replacing=True)
    replace = fixture.directory._reader.replace_hash

    def late(name: str, old: str, new: str) -> None:
        fixture.editor.accounts.set_password("alice@example.org", "other")
        replace(name, old, new)

    late.__name__ = "late"
    fixture.directory._reader.replace_hash = late  # type: ignore[method-assign]
    fixture.login("alice@example.org", "secret")
    assert fixture.login("alice@example.org", "secret") is None
    assert fixture.login("alice@example.org", "other")


# ---------------------------------------------------------------- always the truth

LOCALS = ["a", "B", "c"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["account", "drop", "alias", "unalias", "ask", "domain", "undomain"]),
        st.sampled_from(LOCALS),
        st.sampled_from(LOCALS),
    ),
    max_size=25,
)


def act(editor: DirectoryEditor, what: str, one: str, other: str) -> None:
    mine, target = f"{one}@example.org", f"{other}@elsewhere.example"
    with suppress(Refused):
        match what:
            case "account":
                editor.accounts.import_lines([f"{mine}:{{PLAIN}}x"], is_replacing=True)
            case "drop":
                editor.accounts.remove(mine.upper())
            case "alias":
                editor.aliases.add(mine, [target])
            case "unalias":
                editor.aliases.remove(mine.lower(), [target])
            case "domain":
                editor.domains.add(f"{one}.example")
            case "undomain":
                editor.domains.remove(f"{one}.example")


def everything(directory: SqliteDirectory) -> list[object]:
    found: list[object] = []
    for local in LOCALS:
        address = parse(f"{local}@example.org")
        found.append(finish(directory.account(address)))
        found.append(finish(directory.targets(address)))
        found.append(finish(directory.is_ours(f"{local}.example")))
    return found


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_what_is_in_memory_is_what_is_in_the_file(steps: list[tuple[str, str, str]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "accounts")
        editor = DirectoryEditor(path, CHEAP, ["example.org"])
        blocking = InlineBlocking()
        warm = SqliteDirectory(path, blocking, blocking, CHEAP)
        for step in steps:
            with suppress(AccountImportError):  # the address is an alias
                act(editor, *step)
            cold = SqliteDirectory(path, blocking, blocking, CHEAP)
            assert everything(warm) == everything(cold)
            cold.close()
        warm.close()
        editor.close()


# ---------------------------------------------------------------- entries


def test_entries_are_accounts_aliases_and_lists(fixture: DirectoryFixture) -> None:
    fixture.editor.aliases.add("t@example.org", ["|ticket", "Alice@Example.org"])
    fixture.editor.lists.add("news@example.org")
    fixture.editor.lists.set_owners("news@example.org", ["alice@example.org"])

    def find(text: str) -> DirectoryEntry | None:
        return finish(fixture.directory.find(parse(text)))

    assert find("alice@example.org") == DirectoryEntry("alice@example.org")
    assert find("T@example.org") == DirectoryEntry(
        targets=(parse("Alice@example.org"),), programs=("ticket",)
    )
    owners = (parse("alice@example.org"),)
    assert find("News@example.org") == DirectoryEntry(list="news@example.org", owners=owners)
    assert find("nobody@example.org") == NO_ENTRY
    assert find("alice@elsewhere.example") is None


def test_the_catch_all_is_found_under_no_local_part(fixture: DirectoryFixture) -> None:
    fixture.editor.aliases.add("@example.org", ["alice@example.org"])
    found = finish(fixture.directory.find(catch_all_address("example.org")))
    assert found == DirectoryEntry(targets=(parse("alice@example.org"),))


def test_another_name_of_a_domain_has_the_same_entries(fixture: DirectoryFixture) -> None:
    assert finish(fixture.directory.home("example.com")) is None
    fixture.editor.domains.add_name("example.com", "example.org")
    assert finish(fixture.directory.home("Example.COM")) == "example.org"
    assert finish(fixture.directory.is_ours("example.com"))
    assert finish(fixture.directory.account(parse("ALICE@example.com"))) == "alice@example.org"
    fixture.editor.domains.remove("example.com")
    assert finish(fixture.directory.find(parse("alice@example.com"))) is None


def test_another_name_of_a_domain_that_is_gone_is_not_ours(fixture: DirectoryFixture) -> None:
    fixture.editor._tables.connection.execute(
        "INSERT INTO domain_alias VALUES ('b.example', 'gone.example', 0)"
    )
    assert not finish(fixture.directory.is_ours("b.example"))


def test_members_are_those_of_an_alias_or_a_list(fixture: DirectoryFixture) -> None:
    def members(text: str) -> list[str]:
        return [str(one) for one in finish(fixture.directory.members(parse(text)))]

    fixture.editor.lists.add("news@example.org")
    fixture.editor.lists.add_members("news@example.org", ["team@example.org", "alice@example.org"])
    assert members("team@example.org") == ["alice@example.org", "x@elsewhere.example"]
    assert members("News@example.org") == ["team@example.org", "alice@example.org"]
    fixture.editor._tables.connection.execute(
        "UPDATE list_member SET suspended = 9 WHERE number = 1"
    )
    assert members("news@example.org") == ["alice@example.org"]
    assert members("alice@example.org") == members("nobody@example.org") == []


def test_entries_that_were_found_are_kept_in_memory(fixture: DirectoryFixture) -> None:
    for spelling in ("alice@example.org", "ALICE@example.org", "alice@example.org"):
        finish(fixture.directory.find(parse(spelling)))
    assert fixture.blocking.trips == ["read_homes", "read_record"]


def test_what_cannot_be_read_is_reported_with_the_file(
    fixture: DirectoryFixture, tmp_path: Path
) -> None:
    fixture.editor._tables.connection.execute("DROP TABLE account")
    with pytest.raises(Unavailable) as caught:
        finish(fixture.directory.account(parse("alice@example.org")))
    [(where, error)] = fixture.reports
    assert where == str(tmp_path / "accounts")
    assert "no such table" in str(error)
    assert "table" not in caught.value.outcome.text


def refuse() -> None:
    raise Unavailable("too many refused logins of this network")


def test_a_remembered_login_is_right_where_no_password_is_checked_now(
    fixture: DirectoryFixture,
) -> None:
    verify, attempt = fixture.directory.verify, LoginAttempt("192.0.2.0/24", admit=refuse)
    right = Credentials("alice@example.org", "secret")
    with pytest.raises(Unavailable):
        finish(verify(right, attempt))
    assert fixture.hashing.trips == []
    finish(verify(right))
    assert finish(verify(right, attempt)) == "alice@example.org"
    for name, password in (("alice@example.org", "wrong"), ("nobody@example.org", "secret")):
        with pytest.raises(Unavailable):
            finish(verify(Credentials(name, password), attempt))
    assert fixture.hashing.trips == ["check"]


def test_checks_wait_in_the_line_by_the_names_that_they_are_for(tmp_path: Path) -> None:
    class Line:
        async def check(
            self, attempt: LoginAttempt, name: str, is_known: bool, work: Callable[[], bool]
        ) -> bool:
            seen.append((attempt.network, name, is_known))
            return work()

    seen: list[tuple[str, str, bool]] = []
    with DirectoryEditor(tmp_path / "accounts", CHEAP, ["example.org"]) as editor:
        editor.accounts.add("alice@example.org", "secret")
    blocking = InlineBlocking()
    directory = SqliteDirectory(tmp_path / "accounts", blocking, blocking, CHEAP, login_line=Line())
    for name in ("ALICE@example.org", "Nobody@Example.org", "no address"):
        finish(directory.verify(Credentials(name, "secret"), LoginAttempt("192.0.2.0/24")))
    directory.close()
    assert seen == [
        ("192.0.2.0/24", "alice@example.org", True),
        ("192.0.2.0/24", "nobody@example.org", False),
        ("192.0.2.0/24", "no address", False),
    ]
