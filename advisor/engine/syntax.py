"""Expressions: a subset of Python's syntax, parsed by `ast`, bounded, and never evaluated as Python."""

from __future__ import annotations

import ast
import difflib
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext

from advisor.catalog.sysctl import KEYS
from advisor.errors import RuleError
from advisor.records import dataclass

MAX_TEXT = 2_000
MAX_NODES = 200
MAX_DEPTH = 40
"""Of the syntax tree; with the bound on lets it keeps evaluation far from Python's recursion limit."""

_MAX_NUMBER = 2**63
_SHOWN = 100
"""Characters of an expression that a message shows."""

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.And: "and",
    ast.Or: "or",
    ast.Not: "not",
    ast.USub: "-",
}
"""Everything that may stand between names, numbers and calls."""

_WARNED = re.compile(r"\\|\d\.?[A-Za-z]")
"""What Python's parser may warn of: ``60s``, ``1.if``, ``'\\d'``. (To catch warnings costs more than to parse.)"""

_DASHED = {f"sysctl.{key}".replace("-", "_"): f"sysctl.{key}" for key in KEYS if "-" in key}
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_DASHED_OR_QUOTED = re.compile(
    r"'[^']*'|\"[^\"]*\"|\b(?:" + "|".join(map(re.escape, _DASHED.values())) + r")(?![\w-])", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Source:
    """An expression's text, and where it stands: ``str(at)`` is ``file:line:column: key``, made when a message is."""

    text: str
    at: object

    def error(self, message: str, offset: int = 0) -> RuleError:
        """An error with the expression and a caret.

        Args:
            message: what is wrong, and the way out.
            offset: where, in bytes of the text's UTF-8, as `ast` counts.
        """
        column = len(self.text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore"))
        start = max(0, column - _SHOWN // 2) if len(self.text) > _SHOWN else 0
        shown = "".join(char if char.isprintable() else "?" for char in self.text[start : start + _SHOWN])
        return RuleError(f"{self.at}: {message}\n    {shown}\n    {' ' * (column - start)}^")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)``, or nothing."""
    close = difflib.get_close_matches(word[:_SHOWN], list(known), 1)
    return f"; did you mean '{close[0]}'?" if close else ""


def parse(source: Source) -> ast.expr:
    """The syntax tree, in which only what the whitelist names occurs.

    Raises:
        RuleError: with the expression and a caret.
    """
    if len(source.text) > MAX_TEXT:
        raise source.error(f"longer than {MAX_TEXT:,} characters; split it with 'let'")
    tree = _tree(source)
    _check(source, tree)
    return tree


def _tree(source: Source) -> ast.expr:
    if "#" in source.text and "#" in (bare := _QUOTED.sub(lambda found: "'" * len(found[0]), source.text)):
        offset = len(bare[: bare.index("#")].encode("utf-8", "surrogatepass"))
        raise source.error("'#' would make a comment of what follows; write it into 'why'", offset)
    text = _DASHED_OR_QUOTED.sub(lambda m: m[0] if m[0][0] in "'\"" else m[0].replace("-", "_"), source.text)
    try:
        with _strictly() if _WARNED.search(text) else nullcontext():
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        end = error.offset - 1 if error.offset else len(text)  # no offset: it ends too early
        offset = len(text[:end].encode("utf-8", "surrogatepass"))
        hint = "; a number has no unit here, it takes that of its neighbour" if "decimal" in error.msg else ""
        raise source.error(f"not an expression: {error.msg}{hint}", offset) from None
    except (ValueError, MemoryError, RecursionError):
        raise source.error("not an expression that can be read: too deep, or with characters of no text") from None


@contextmanager
def _strictly() -> Iterator[None]:
    """Python only warns of these; here they are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def _check(source: Source, tree: ast.expr) -> None:
    todo: list[tuple[ast.AST, int]] = [(tree, 1)]
    nodes = 0
    while todo:
        node, depth = todo.pop()
        nodes += 1
        offset = getattr(node, "col_offset", 0)
        if nodes > MAX_NODES:
            raise source.error(f"more than {MAX_NODES} parts; split it with 'let'", offset)
        if depth > MAX_DEPTH:
            raise source.error(f"nested deeper than {MAX_DEPTH}; split it with 'let'", offset)
        todo += [(child, depth + 1) for child in _parts(source, node)]


def _parts(source: Source, node: ast.AST) -> list[ast.expr]:
    """The operands of an allowed node."""
    parts: list[ast.expr] | None = None
    match node:
        case ast.BoolOp():
            parts = node.values
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            parts = [node.operand]
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
            parts = [node.left, node.right]
        case ast.Compare():
            parts = _compared(source, node)
        case ast.Call(func=ast.Name(), keywords=[]):
            parts = node.args
        case ast.Constant():
            parts = _constant(source, node)
        case ast.Name() | ast.Attribute() if dotted(node) is not None:
            parts = []
    if parts is None:
        offset = getattr(node, "col_offset", 0)
        raise source.error(f"{_REFUSED.get(type(node), 'this')} is not allowed in an expression", offset)
    return parts


_REFUSED: dict[type[ast.AST], str] = {
    ast.BinOp: "an operator other than + - * /",
    ast.UnaryOp: "an operator other than 'not' and '-'",
    ast.IfExp: "'x if y else z'",
    ast.Subscript: "indexing",
    ast.Attribute: "an attribute of anything but a name",
    ast.Call: "a call other than FUNCTION(arguments)",
    ast.Lambda: "lambda",
    ast.JoinedStr: "an f-string",
    ast.List: "a list outside of 'in'",
    ast.Tuple: "a list outside of 'in'",
    ast.Starred: "'*'",
    ast.NamedExpr: "':='",
}


def _compared(source: Source, node: ast.Compare) -> list[ast.expr]:
    parts = [node.left]
    for operator, operand in zip(node.ops, node.comparators, strict=True):
        if isinstance(operator, ast.In | ast.NotIn):
            if not isinstance(operand, ast.Tuple | ast.List) or not operand.elts:
                raise source.error("'in' needs a list of constants: in (1, 2)", operand.col_offset)
            if any(not isinstance(element, ast.Constant) for element in operand.elts) or len(node.ops) > 1:
                raise source.error("'in' takes constants, and stands alone", operand.col_offset)
            parts += operand.elts
        elif isinstance(operator, ast.Is | ast.IsNot):
            raise source.error("'is' is not allowed; compare with ==, or ask has(NAME)", operand.col_offset)
        else:
            parts.append(operand)
    return parts


def _constant(source: Source, node: ast.Constant) -> list[ast.expr]:
    value = node.value
    if value is None:
        raise source.error("None is not allowed; ask has(NAME)", node.col_offset)
    if not isinstance(value, bool | int | float | str):
        raise source.error("only numbers, text, True and False are constants", node.col_offset)
    if not isinstance(value, str) and not abs(value) < _MAX_NUMBER:
        raise source.error("the number is 2^63 or more", node.col_offset)
    return []


def dotted(node: ast.expr) -> str | None:
    """The dotted name a node spells, or None."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    name = ".".join([node.id, *reversed(parts)])
    return _DASHED.get(name, name)
