"""The floors: imports point down. The law, and the proof that it is enforced."""

import re
import sys
from pathlib import Path

import pytest

from tests.laws import (
    MAX_LINES,
    MAX_SHARED,
    MAX_TYPE_CHECKING,
    MODULES,
    PACKAGE,
    ROOT,
    circle,
    crowded,
    import_graph,
    imports,
    long_functions,
    module_name,
    possessive_groups,
    shared_classes,
    unreported_faults,
)

ASSEMBLY = {
    "service",
    "assembly",
    "workers",
    "config",
    "control",
    "agents",
    "plugins",
    "testing",
}
EDGE_ROOMS = {"net", "auth", "plugin", "log"}
EDGE_MODULES = {"queue.pipe", "delivery.remote", "delivery.hop_settings"}
EDGE_NAMES = {"server", "client"}
PURE_EXCEPTIONS = {"auth.sasl"}
SIDEWAYS = {
    ("delivery.attempt", "sieve"),
    ("delivery.remote", "smtp.client"),
    ("plugin", "plugins"),  # finding plugins means naming the package they lie in
}
TWISTED = {"twisted", "zope", "OpenSSL", "service_identity"}
VOCABULARY = {*sys.stdlib_module_names, "idna"}  # what mail may import besides itself


def floor(module: str) -> int:
    """Return the floor of a module, named without ``twisted_mail.``; see ARCHITECTURE.md."""
    room, _, rest = module.partition(".")
    if room == "mail":
        return 1
    if room in {"interfaces", ""}:
        return 2
    if room in ASSEMBLY:
        return 5
    is_edge = room in EDGE_ROOMS or module in EDGE_MODULES or rest in EDGE_NAMES
    return 4 if is_edge and module not in PURE_EXCEPTIONS else 3


def is_allowed(module: str, imported: str) -> bool:
    room, other = module.partition(".")[0], imported.partition(".")[0]
    if floor(module) == 5:
        return True
    if imported.partition(".")[0] in TWISTED:
        return floor(module) == 4
    if not imported.startswith("twisted_mail"):
        return floor(module) > 1 or imported.partition(".")[0] in VOCABULARY
    imported = imported.removeprefix("twisted_mail").lstrip(".")
    other = imported.partition(".")[0]
    if room == other or any(module == one and imported.startswith(to) for one, to in SIDEWAYS):
        return True
    if floor(module) == 4:
        return floor(imported) <= 3 or other in {"net", "log"}
    return floor(imported) < floor(module) and floor(imported) <= 2


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_point_down(path: Path) -> None:
    module = module_name(path)
    wrong = [name for name in imports(path.read_text()) if not is_allowed(module, name)]
    assert not wrong, f"{module} (floor {floor(module)}) may not import {wrong}"


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("mail.address", "twisted_mail.interfaces"),
        ("mail.address", "apsw"),
        ("interfaces", "twisted_mail.store.memory.account"),
        ("imap.session", "twisted.internet.defer"),
        ("imap.session", "twisted_mail.net.connection.conversation"),
        ("imap.render", "twisted_mail.store.memory.account"),
        ("smtp.session", "twisted_mail.imap.grammar"),
        ("store.account", "zope.interface"),
        ("auth.sasl", "twisted.cred.portal"),
        ("net.conversation", "twisted_mail.service"),
        ("auth.realm", "twisted_mail.control.main"),
    ],
)
def test_an_import_against_the_floors_is_refused(module: str, imported: str) -> None:
    assert not is_allowed(module, imported)


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("mail.address", "idna"),
        ("imap.session", "twisted_mail.imap.grammar"),
        ("imap.session", "twisted_mail.interfaces"),
        ("store.account", "twisted_mail.mail.mailbox.flags"),
        ("net.conversation", "twisted_mail.interfaces"),
        ("service", "twisted_mail.store.account.account"),
        ("delivery.remote", "twisted_mail.smtp.client"),
    ],
)
def test_an_import_down_the_floors_is_allowed(module: str, imported: str) -> None:
    assert is_allowed(module, imported)


def test_pure_floors_need_no_reactor() -> None:
    pure = [path for path in MODULES if floor(module_name(path)) <= 3]
    assert len(pure) > 10
    assert not [
        path
        for path in pure
        if any(name.partition(".")[0] in TWISTED for name in imports(path.read_text()))
    ]


def test_twisted_plugins_is_no_package() -> None:
    assert not (ROOT / "twisted" / "__init__.py").exists()
    assert not (ROOT / "twisted" / "plugins" / "__init__.py").exists()


def test_every_decision_stands_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = {path.name for path in folder.glob("0*.md")}
    listed = set(re.findall(r"\((0[^)]+\.md)\)", (folder / "README.md").read_text()))
    assert pages == listed


# ------------------------------------------------------------ the rooms


def test_nothing_is_imported_in_a_circle() -> None:
    assert circle(import_graph()) == []


@pytest.mark.parametrize(
    "graph",
    [
        {"store.work.tree": ["store.work.folder"], "store.work.folder": ["store.work.tree"]},
        {"imap.loop": ["imap.session"], "imap.session": ["imap.view"], "imap.view": ["imap.loop"]},
        {"smtp.session": ["smtp.session"]},
    ],
)
def test_a_circle_is_refused(graph: dict[str, list[str]]) -> None:
    assert circle(graph)


def test_imports_for_the_type_checker_count() -> None:
    text = "if TYPE_CHECKING:\n    from twisted_mail.store.tree import tree\n"
    assert imports(text) == ["twisted_mail.store.tree.tree"]


def test_hardly_anything_is_imported_for_the_type_checker_alone() -> None:
    some = [module_name(path) for path in MODULES if "if TYPE_CHECKING:" in path.read_text()]
    assert len(some) <= MAX_TYPE_CHECKING, some


def test_no_folder_is_crowded() -> None:
    assert crowded(str(path.relative_to(PACKAGE)) for path in MODULES) == {}


def test_a_crowded_folder_is_refused() -> None:
    files = [f"store/a{number}.py" for number in range(21)]
    assert crowded([*files, "store/__init__.py"]) == {"store": 21}
    assert crowded([*files[:20], "store/__init__.py"]) == {}


def test_no_file_is_long() -> None:
    lines = {module_name(path): path.read_text().count("\n") for path in MODULES}
    assert {name: number for name, number in lines.items() if number > MAX_LINES} == {}


def test_no_function_is_long() -> None:
    found = {module_name(path): long_functions(path.read_text()) for path in MODULES}
    assert {name: functions for name, functions in found.items() if functions} == {}


def test_a_long_function_is_refused() -> None:
    body = "    pass\n" * 40
    assert long_functions(f"def much():\n{body}") == {"much": 41}
    assert long_functions(f'def less():\n    """{"Much." * 9}\n\n    """\n{body[9:]}') == {}


def test_a_class_name_stands_for_one_class() -> None:
    found = shared_classes(path.read_text() for path in MODULES)
    assert len(found) <= MAX_SHARED, found


def test_a_name_of_two_classes_is_found() -> None:
    assert shared_classes(["class Place: ...", "class Place: ...", "class Entry: ..."]) == ["Place"]


# The rooms of the store, the lowest first: each may import those before it.
STORE_ROOMS = (
    *("disk", "format", "index", "trash", "tree", "work", "reading", "search"),
    *("account", "delivery", "repair", "memory"),
)


def is_in_order(module: str, imported: str) -> bool:
    """Return whether an import leads from a room of the store to a lower one, or to no room."""
    (_, room, *_), (_, other, *_) = (f"{name}..".split(".") for name in (module, imported))
    if room not in STORE_ROOMS or other not in STORE_ROOMS:
        return True
    return STORE_ROOMS.index(other) <= STORE_ROOMS.index(room)


def test_the_rooms_of_the_store_import_downwards() -> None:
    graph = import_graph()
    assert {path.parent.name for path in PACKAGE.glob("store/*/__init__.py")} == set(STORE_ROOMS)
    pairs = [(one, other) for one in graph for other in graph[one] if one.startswith("store.")]
    wrong = [(one, other) for one, other in pairs if not is_in_order(one, other)]
    assert not wrong


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("store.disk.blob", "store.format.layout"),
        ("store.index.index", "store.tree.tree"),
        ("store.work.transfer.move", "store.account.account"),
    ],
)
def test_an_import_of_a_higher_room_is_refused(module: str, imported: str) -> None:
    assert not is_in_order(module, imported)


# ------------------------------------------------------------ faults

# Rooms whose faults somebody at a terminal is shown, and the store of the tests.
SHOWN = ("control.", "directory.tables", "store.memory.", "testing.")
# Faults of the network; and what ``policy.filter_chain`` logs for all filters.
LOGGED = ("net.", "policy.message_pieces")


def test_no_fault_of_disk_or_database_is_hidden_from_the_log() -> None:
    found = {module_name(path): unreported_faults(path.read_text()) for path in MODULES}
    wrong = {
        name: lines
        for name, lines in found.items()
        if lines and not name.startswith(SHOWN + LOGGED)
    }
    assert wrong == {}


def test_a_fault_that_is_hidden_is_found() -> None:
    hidden = "try:\n    x()\nexcept OSError as error:\n    raise Unavailable('no') from error\n"
    told = hidden.replace("    raise", "    self._report_fault('x', error)\n    raise")
    assert unreported_faults(hidden) == [3]
    assert unreported_faults(hidden.replace("OSError", "(ValueError, apsw.Error)")) == [3]
    assert unreported_faults(told) == []


# ---------------------------------------------------------------- regular expressions


def test_no_group_is_repeated_possessively() -> None:
    found = {
        str(path.relative_to(PACKAGE)): possessive_groups(path.read_text()) for path in MODULES
    }
    assert {path: patterns for path, patterns in found.items() if patterns} == {}


def test_a_possessive_group_is_found() -> None:
    source = r'''A, B, C = rb"(?:a|b)*+", "[a-z]*+(?>(?:a|b)+)", r"(a){2,3}+"'''
    assert possessive_groups(source) == [r"(?:a|b)*+", "(a){2,3}+"]
