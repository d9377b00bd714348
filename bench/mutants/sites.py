"""Where a file can be made wrong, and how: one `Mutant` for each alteration of its syntax tree.

Docstrings, annotations, decorators, `__slots__` and what only a type checker reads are left alone.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.mutants.alterations import faults

ROOMS = ("mail", "smtp", "imap", "pop3", "store/format")

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: the node of this number (in the order of `_places`) of a file becomes another one."""

    path: str
    place: int
    kind: str
    line: int
    end_line: int
    before: str
    after: str
    at_import: bool = False  # the line runs when the module is imported

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def all_mutants(tree: Path) -> list[Mutant]:
    """Every mutant of the pure rooms of a source tree, in a fixed order."""
    paths = [p for room in ROOMS for p in sorted((tree / "twisted_mail" / room).rglob("*.py"))]
    return [m for path in paths for m in _mutants(tree, path.relative_to(tree).as_posix())]


def mutated(tree: Path, mutant: Mutant) -> ast.Module:
    """The syntax tree of the mutant's file with its fault in it."""
    module = ast.parse((tree / mutant.path).read_bytes())
    place = next(p for number, p in enumerate(_places(module)) if number == mutant.place)
    place.put(
        next(new for kind, new in faults(place.node, place.in_function) if kind == mutant.kind)
    )
    return ast.fix_missing_locations(module)


@dataclass(frozen=True, slots=True)
class _Place:
    """A node, and where its parent holds it."""

    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None
    statement: ast.stmt | None
    in_function: bool

    def put(self, new: ast.AST) -> None:
        """Put another node at this place."""
        ast.copy_location(new, self.node)
        if self.index is None:
            setattr(self.parent, self.field, new)
        else:
            getattr(self.parent, self.field)[self.index] = new


def _mutants(tree: Path, path: str) -> Iterator[Mutant]:
    for number, place in enumerate(_places(ast.parse((tree / path).read_bytes()))):
        for kind, new in faults(place.node, place.in_function):
            around = place.node if isinstance(place.node, ast.stmt) else place.statement
            line, end = _lines(place.node, around)
            before, after = ast.unparse(place.node), ast.unparse(new)
            yield Mutant(path, number, kind, line, end, before, after, not place.in_function)


def _lines(node: ast.AST, statement: ast.stmt | None) -> tuple[int, int]:
    """The lines that run when the node does: its own, or those of its whole simple statement."""
    own = (getattr(node, "lineno", 1), getattr(node, "end_lineno", 1))
    if statement is None or hasattr(statement, "body"):
        return own
    return statement.lineno, statement.end_lineno or statement.lineno


def _places(module: ast.Module) -> Iterator[_Place]:
    yield from _within(module, None, False)


def _within(parent: ast.AST, statement: ast.stmt | None, in_function: bool) -> Iterator[_Place]:
    for field, value in ast.iter_fields(parent):
        if field in ("annotation", "returns", "decorator_list", "bases"):
            continue
        nodes = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, node in nodes:
            if not isinstance(node, ast.AST) or _is_left_alone(parent, field, index, node):
                continue
            around = node if isinstance(node, ast.stmt) else statement
            is_body = isinstance(parent, _FUNCTIONS) and field == "body"
            yield _Place(node, parent, field, index, around, in_function or is_body)
            yield from _within(node, around, in_function or is_body)


def _is_left_alone(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()):  # docstrings, and "..." for a body
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id="__slots__" | "__all__")]):
            return True
        case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar" | "NewType" | "ParamSpec"))):
            return True
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return True
    return isinstance(parent, ast.Call) and field == "args" and index == 0 and _is_cast(parent)


def _is_cast(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "cast"
