"""The laws of the house, as functions from what is in it to what is wrong with it."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "twisted_mail"
MODULES = sorted(PACKAGE.rglob("*.py"))

MAX_FILES = 20  # of a folder, without its __init__
MAX_LINES = 300  # of a file
MAX_FUNCTION = 40  # lines of a function, without its docstring
MAX_SHARED = 8  # names that stand for two classes
MAX_TYPE_CHECKING = 2  # imports that only the type checker sees


def module_name(path: Path) -> str:
    """Return the dotted name, without ``twisted_mail.``."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports(text: str) -> list[str]:
    """Return what a module imports, those that only a type checker sees among them."""
    names: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names += [_target(node.module or "", alias.name) for alias in node.names]
    return names


def _target(module: str, name: str) -> str:
    path = ROOT.joinpath(*module.split("."), name)
    is_module = path.is_dir() or path.with_suffix(".py").exists()
    return f"{module}.{name}" if is_module else module


def import_graph() -> dict[str, set[str]]:
    """Return which of our modules each of them imports."""
    known = {module_name(path) for path in MODULES}
    found = {module_name(path): imports(path.read_text()) for path in MODULES}
    ours = "twisted_mail."
    return {
        module: {name.removeprefix(ours) for name in names} & known - {module}
        for module, names in found.items()
    }


def circle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """Return modules that import each other in a circle, the first again at the end; none if none do."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def crowded(files: Iterable[str]) -> dict[str, int]:
    """Return the folders with too many files."""
    folders = Counter(name.rpartition("/")[0] for name in files if not name.endswith("__init__.py"))
    return {folder: number for folder, number in folders.items() if number > MAX_FILES}


def long_functions(text: str) -> dict[str, int]:
    """Return the functions that are too long."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]
    return {node.name: size for node in found if (size := _size(node)) > MAX_FUNCTION}


def _size(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    told = (first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0
    return (node.end_lineno or 0) - node.lineno + 1 - told


def shared_classes(texts: Iterable[str]) -> list[str]:
    """Return the names that stand for several classes."""
    nodes = (node for text in texts for node in ast.walk(ast.parse(text)))
    names = Counter(node.name for node in nodes if isinstance(node, ast.ClassDef))
    return sorted(name for name, number in names.items() if number > 1)


_FAULTS = {"OSError", "Error"}  # apsw.Error, which is all of what SQLite raises


def unreported_faults(text: str) -> list[int]:
    """Return the lines of handlers that turn a fault of disk or database into Unavailable unreported."""
    handlers = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ExceptHandler)]
    return [
        node.lineno
        for node in handlers
        if node.type is not None
        and _names(node.type) & _FAULTS
        and "Unavailable" in (called := _calls(node))
        and not {"report_fault", "_report_fault", "note", "note_fault"} & called
    ]


def _names(node: ast.AST) -> set[str]:
    found = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return found | {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}


def _calls(node: ast.AST) -> set[str]:
    calls = [each.func for each in ast.walk(node) if isinstance(each, ast.Call)]
    return set().union(*map(_last_name, calls))


def _last_name(node: ast.expr) -> set[str]:
    if isinstance(node, ast.Attribute):
        return {node.attr}
    return {node.id} if isinstance(node, ast.Name) else set()


# ---------------------------------------------------------------- regular expressions

_POSSESSIVE_GROUP = re.compile(r"\)(?:[*+?]|\{[0-9,]+\})\+")


def possessive_groups(source: str) -> list[str]:
    """Return the texts that look like regular expressions with a possessive group, ``(?:a|b)*+``.

    Python before 3.11.5, as Debian 12 has it, finds too little with them where there is an alternative
    in the group; an atomic one, ``(?>(?:a|b)*)``, is the same and is right.
    """
    texts = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    shown = [text.decode("latin-1") if isinstance(text, bytes) else text for text in texts]
    return [text for text in shown if isinstance(text, str) and _POSSESSIVE_GROUP.search(text)]
