from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from tests.imap.talk import ImapFixture
from twisted_mail import imap
from twisted_mail.imap.capabilities import Capability, CapabilityContext, before_login
from twisted_mail.imap.extensions import append_limit, idle, objectid, status_size, within
from twisted_mail.imap.extensions.base import BASE
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.extensions.table import make_tables, tables_of
from twisted_mail.imap.mailboxes.status_items import StatusItem
from twisted_mail.testing.doubles import finish

SOURCES = Path(imap.__path__[0])


def greeting(imap: ImapFixture, *, tls: bool = False, passwords: bool = True) -> str:
    loop = imap.loop(tls=tls, passwords=passwords)
    finish(loop.run())
    written: bytes = loop.session.wire.written  # type: ignore[attr-defined]
    return written.decode().partition("[CAPABILITY ")[2].partition("]")[0]


def after_login(imap: ImapFixture) -> list[str]:
    return imap.talk("0 LOGIN alice secret")[0].partition("]")[0].split()[3:]


def test_our_own_extensions_are_found() -> None:
    tables = make_tables()
    assert {"EMAILID", "THREADID"} <= set(tables.fetch_plans.known_items)
    assert {"SIZE", "MAILBOXID", "APPENDLIMIT"} <= set(tables.status_items)
    assert {"IDLE", "MOVE", "UNSELECT", "XLIST"} <= set(tables.commands)


def test_an_extension_has_the_name_that_its_file_has() -> None:
    for path in sorted((SOURCES / "extensions").glob("*.py")):
        module = import_module(f"twisted_mail.imap.extensions.{path.stem}")
        found = getattr(module, "EXTENSION", None)
        if found is not None:
            assert found.name in (
                path.stem.upper(),
                *(path.stem.upper().replace("_", by) for by in ("-", "=", "")),
            )


def test_select_answers_in_this_order() -> None:
    assert [response.name for response in make_tables().select_responses] == [
        *("FLAGS", "PERMANENTFLAGS", "EXISTS", "RECENT", "UNSEEN", "UIDVALIDITY", "UIDNEXT"),
        "MAILBOXID",
    ]


def test_without_extensions_the_base_is_left() -> None:
    imap = ImapFixture()
    imap.tables = tables_of([BASE])
    assert after_login(imap) == [
        "IMAP4rev1",
        "LITERAL+",
        "SASL-IR",
        "CHILDREN",
        "LIST-EXTENDED",
        "SPECIAL-USE",
        "CREATE-SPECIAL-USE",
        "UIDPLUS",
    ]
    assert imap.inside("a IDLE", "b STATUS INBOX (SIZE)", "c SEARCH ALL")[:2] == [
        "a BAD Unknown command",
        "b BAD Unknown item SIZE",
    ]


def test_all_capabilities() -> None:
    before = "LITERAL+ SASL-IR AUTH=PLAIN AUTH=LOGIN ENABLE ID"
    after = (
        "LITERAL+ SASL-IR CHILDREN LIST-EXTENDED SPECIAL-USE CREATE-SPECIAL-USE UIDPLUS "
        "APPENDLIMIT=67108864 ENABLE ID IDLE LIST-STATUS MOVE NAMESPACE OBJECTID STATUS=SIZE "
        "UNSELECT WITHIN XLIST"
    )
    assert greeting(ImapFixture()) == f"IMAP4rev1 {before}"
    assert " ".join(after_login(ImapFixture())) == f"IMAP4rev1 {after}"


def test_capabilities_follow_the_extensions_and_the_settings() -> None:
    imap = ImapFixture(max_size=1000)
    imap.tables = tables_of([BASE, idle.EXTENSION, append_limit.EXTENSION])
    assert after_login(imap)[-2:] == ["IDLE", "APPENDLIMIT=1000"]


def test_capabilities_follow_the_state_of_the_connection() -> None:
    imap = ImapFixture()
    imap.tables = tables_of(
        [BASE, Extension("X", (Capability("X-BEFORE", before_login), Capability("X-AFTER")))]
    )
    assert greeting(imap).split()[3:] == ["AUTH=PLAIN", "AUTH=LOGIN", "X-BEFORE"]
    assert greeting(imap, tls=True, passwords=False).split()[3:] == [
        "STARTTLS",
        "LOGINDISABLED",
        "X-BEFORE",
    ]
    assert after_login(imap)[-1] == "X-AFTER"


def test_a_capability_may_depend_on_tls() -> None:
    imap = ImapFixture()
    private = Capability("X-PRIVATE", lambda context: context.tls_info is not None)
    imap.tables = tables_of([BASE, Extension("X", (private,))])
    lines = imap.talk("a CAPABILITY", "b STARTTLS", "c CAPABILITY", tls=True)
    assert [line.endswith(" X-PRIVATE") for line in lines if line.startswith("* ")] == [False, True]


def test_the_list_of_capabilities_is_made_once_for_each_kind_of_connection() -> None:
    imap = ImapFixture()
    asked: list[bool] = []

    def is_offered(context: CapabilityContext) -> bool:
        asked.append(context.is_authenticated)
        return True

    imap.tables = tables_of([BASE, Extension("X", (Capability("X-COUNTED", is_offered),))])
    for _ in range(2):
        imap.inside("a CAPABILITY", "b CAPABILITY")
    assert sorted(asked) == [False, True]


def test_a_name_that_is_there_twice_is_refused() -> None:
    size = Extension("X", status_items=(StatusItem("SIZE", lambda status, _: 1),))
    with pytest.raises(ValueError, match=r"^two IMAP extensions bring the STATUS item SIZE$"):
        make_tables([size])
    base = make_tables()
    found = Extension("X", commands=(base.commands["NOOP"],))
    with pytest.raises(ValueError, match=r"bring the command NOOP$"):
        make_tables([found])
    found = Extension("X", fetch_items=(base.fetch_plans.known_items["FLAGS"],))
    with pytest.raises(ValueError, match=r"bring the FETCH item FLAGS$"):
        make_tables([found])
    found = Extension("X", search_keys=(base.search_keys["ALL"],))
    with pytest.raises(ValueError, match=r"bring the search key ALL$"):
        make_tables([found])
    for option in ("STATUS", "CHILDREN"):
        found = Extension("X", return_options=(make_tables().return_options[option],))
        with pytest.raises(ValueError, match=f"bring the return option of LIST {option}$"):
            make_tables([found])


def test_a_second_code_for_create_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^two IMAP extensions have a code for the answer to CREATE$"
    ):
        tables_of([BASE, objectid.EXTENSION, replace(objectid.EXTENSION, status_items=())])


@pytest.mark.parametrize(
    ("extension", "words"),
    [
        (objectid.EXTENSION, ("OBJECTID", "EMAILID", "THREADID", "MAILBOXID")),
        (status_size.EXTENSION, ("STATUS=SIZE", '"SIZE"')),
        (within.EXTENSION, ("WITHIN", "OLDER", "YOUNGER")),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_an_extension_stands_in_one_file(extension: Extension, words: tuple[str, ...]) -> None:
    file = extension.name.lower().replace("=", "_") + ".py"
    for path in SOURCES.rglob("*.py"):
        found = [word for word in words if word in path.read_text()]
        assert found == (list(words) if path.name == file else []), path
