"""What can be wrong with one node of a syntax tree."""

import ast
from collections.abc import Iterator

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.Pow: ast.Mult,
}


def faults(node: ast.AST, in_function: bool) -> Iterator[tuple[str, ast.AST]]:
    """Each wrong node that can stand in the place of this one, with the kind of its fault."""
    match node:
        case ast.Compare():
            yield from _comparisons(node)
        case ast.BoolOp(op=op, values=values):
            yield "and-or", ast.BoolOp(ast.And() if isinstance(op, ast.Or) else ast.Or(), values)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            yield "arithmetic", ast.BinOp(left, _ARITHMETIC[type(op)](), right)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not", operand
        case ast.Constant(value=value):
            yield from _constants(value)
        case ast.If() | ast.While() | ast.IfExp():
            yield "condition", _negated(node)
        case ast.stmt() if in_function:
            yield from _statements(node)


def _comparisons(node: ast.Compare) -> Iterator[tuple[str, ast.AST]]:
    for number, op in enumerate(node.ops):
        ops = [*node.ops]
        ops[number] = _COMPARISONS[type(op)]()
        yield f"comparison {number}", ast.Compare(node.left, ops, node.comparators)


def _constants(value: object) -> Iterator[tuple[str, ast.AST]]:
    match value:
        case bool():
            yield "constant", ast.Constant(not value)
        case int() | float():
            yield "constant", ast.Constant(value + 1)
        case str():
            yield "constant", ast.Constant("XX" + value)
        case bytes():
            yield "constant", ast.Constant(b"XX" + value)


def _negated(node: ast.If | ast.While | ast.IfExp) -> ast.AST:
    test = ast.UnaryOp(ast.Not(), node.test)
    if isinstance(node, ast.If):
        return ast.If(test, node.body, node.orelse)
    if isinstance(node, ast.While):
        return ast.While(test, node.body, node.orelse)
    return ast.IfExp(test, node.body, node.orelse)


def _statements(node: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield "returns None", ast.Return(ast.Constant(None))
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Delete():
            yield "removed", ast.Pass()
        case ast.Assign(targets=targets) if not any(
            isinstance(t, ast.Name | ast.Tuple) for t in targets
        ):
            yield "removed", ast.Pass()
        case ast.Break():
            yield "loop", ast.Continue()
        case ast.Continue():
            yield "loop", ast.Break()


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
