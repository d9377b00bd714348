"""The floors: imports point down. The law, and the proof that it is enforced."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "twisted_mail"

ASSEMBLY = {
    "service",
    "assembly",
    "workers",
    "config",
    "control",
    "agents",
    "web",
    "plugins",
    "testing",
}
EDGE_ROOMS = {"net", "auth", "plugin", "log"}
EDGE_MODULES = {"queue.pipe", "delivery.remote"}
EDGE_NAMES = {"server", "client"}
PURE_EXCEPTIONS = {"auth.sasl"}
SIDEWAYS = {
    ("delivery.local", "sieve"),
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


def imports(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names += [_target(node.module or "", alias.name) for alias in node.names]
    return names


def _target(module: str, name: str) -> str:
    path = ROOT.joinpath(*module.split("."), name)
    is_module = path.is_dir() or path.with_suffix(".py").exists()
    return f"{module}.{name}" if is_module else module


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_point_down(path: Path) -> None:
    module = module_name(path)
    wrong = [name for name in imports(path) if not is_allowed(module, name)]
    assert not wrong, f"{module} (floor {floor(module)}) may not import {wrong}"


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("mail.address", "twisted_mail.interfaces"),
        ("mail.address", "apsw"),
        ("interfaces", "twisted_mail.store.memory.account"),
        ("imap.session", "twisted.internet.defer"),
        ("imap.session", "twisted_mail.net.server.conversation"),
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
        path for path in pure if any(name.partition(".")[0] in TWISTED for name in imports(path))
    ]


def test_twisted_plugins_is_no_package() -> None:
    assert not (ROOT / "twisted" / "__init__.py").exists()
    assert not (ROOT / "twisted" / "plugins" / "__init__.py").exists()


def test_every_decision_stands_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = {path.name for path in folder.glob("0*.md")}
    listed = set(re.findall(r"\((0[^)]+\.md)\)", (folder / "README.md").read_text()))
    assert pages == listed
