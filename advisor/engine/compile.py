"""Syntax tree to closures: names, kinds, units and guards are checked in the same walk, so they can't disagree."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from advisor.engine.code import Code, Env, Name, Need, Run
from advisor.engine.functions import FUNCTIONS, requires_of, strict
from advisor.engine.known import BY_ZERO, TOO_LARGE, Unknown, all_of, any_of, join, negation
from advisor.engine.scope import Scope
from advisor.engine.syntax import OPERATORS, Source, did_you_mean, dotted, parse
from advisor.engine.types import BOOL, LITERAL, TEXT, Problem, Type, comparable, numbers, product, same_unit
from advisor.records import replace

_HUGE = 1e300
"""Beyond it a float is near infinity, and no measured quantity is meant."""
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_VALUES = {"bool", "number", "string", "version", "ports", "histogram"}
"""Kinds that an expression may hold; an item or a group is only a step on the way to one of them."""


def compile_expression(source: Source, scope: Scope, known: frozenset[str] | None = frozenset()) -> Code:
    """Check and compile an expression.

    Args:
        source: its text, and where it stands.
        scope: the names it may use.
        known: names that may be unset in general, and are known to be set where this runs; None leaves that check
            to whoever uses the code.

    Raises:
        RuleError: with the expression and a caret.
    """
    compiler = _Compiler(source, scope)
    code = compiler.visit(parse(source))
    if code.type.kind not in _VALUES:
        raise source.error(f"this is {code.type.spoken}")
    if known is not None:
        require(source, code, known)
    return replace(code, names=compiler.names)


def require(source: Source, code: Code, known: frozenset[str]) -> None:
    """Make sure that all a code needs to be set is known to be.

    Raises:
        RuleError: naming what may be unset.
    """
    for path, need in code.requires.items():
        if path not in known:
            way = f"guard it with has({path}) and ..., in 'applies' or in 'if'"
            raise source.error(f"{path} may be unset; {way}", need.offset)


class _Compiler:
    def __init__(self, source: Source, scope: Scope) -> None:
        self.source = source
        self.scope = scope
        self.names: dict[str, Name] = {}

    def visit(self, node: ast.expr) -> Code:
        """Compile a node; the syntax check has bounded the depth."""
        return _VISITORS[type(node)](self, node)

    @contextmanager
    def _placed(self, node: ast.expr, parts: Sequence[ast.expr] = ()) -> Iterator[None]:
        """Give a problem its place: the node, or the part it names."""
        try:
            yield
        except Problem as problem:
            at = node if problem.part is None else parts[problem.part]
            raise self.source.error(problem.message, at.col_offset) from None

    def _bool(self, node: ast.expr, operation: str) -> Code:
        code = self.visit(node)
        if code.type != BOOL:
            message = f"'{operation}' needs true or false, and this is {code.type.spoken}"
            raise self.source.error(message, node.col_offset)
        return code

    def constant(self, node: ast.Constant) -> Code:
        value: Any = node.value
        kind = BOOL if isinstance(value, bool) else TEXT if isinstance(value, str) else LITERAL
        return Code(kind, lambda _: value, constant=value)

    def name(self, node: ast.expr) -> Code:
        path = dotted(node) or ""
        with self._placed(node):
            name = self.scope.resolve(path)
        self.names.setdefault(path, name)
        if path not in self.scope.lets:
            needs = {unset: Need(node.col_offset, read) for unset, read in name.unset.items()}
            return Code(name.type, name.read, needs, name=name)
        let, _ = self.scope.lets[path]
        needs = {unset: Need(node.col_offset, need.read) for unset, need in let.requires.items()}
        return Code(let.type, name.read, needs, let.true, let.false)

    def logic(self, node: ast.BoolOp) -> Code:
        conjunction = isinstance(node.op, ast.And)
        parts = [self._bool(value, OPERATORS[type(node.op)]) for value in node.values]
        requires: dict[str, Need] = {}
        known: frozenset[str] = frozenset()
        for part in parts:
            requires |= {path: need for path, need in part.requires.items() if path not in known | requires.keys()}
            known |= part.true if conjunction else part.false
        common = frozenset.intersection(*(part.false if conjunction else part.true for part in parts))
        true, false = (known, common) if conjunction else (common, known)
        return Code(BOOL, (all_of if conjunction else any_of)([part.run for part in parts]), requires, true, false)

    def unary(self, node: ast.UnaryOp) -> Code:
        if isinstance(node.op, ast.Not):
            code = self._bool(node.operand, "not")
            return Code(BOOL, negation(code.run), code.requires, code.false, code.true)
        code = self.visit(node.operand)
        if code.type.kind != "number":
            raise self.source.error(f"'-' needs a number, and this is {code.type.spoken}", node.col_offset)
        return strict(code.type, [code], operator.neg)

    def arithmetic(self, node: ast.BinOp) -> Code:
        operands = [node.left, node.right]
        parts = [self.visit(operand) for operand in operands]
        with self._placed(node.right, operands):
            return _arithmetic(OPERATORS[type(node.op)], parts)

    def compare(self, node: ast.Compare) -> Code:
        if isinstance(node.ops[0], ast.In | ast.NotIn):
            return self._membership(node)
        parts = [self.visit(operand) for operand in (node.left, *node.comparators)]
        runs = []
        for index, (op, operand) in enumerate(zip(node.ops, node.comparators, strict=True)):
            with self._placed(operand):
                runs.append(_comparison(OPERATORS[type(op)], parts[index], parts[index + 1]))
        return Code(BOOL, runs[0] if len(runs) == 1 else all_of(runs), requires_of(parts))

    def _membership(self, node: ast.Compare) -> Code:
        left = self.visit(node.left)
        constants = [self.visit(element) for element in getattr(node.comparators[0], "elts", ())]
        with self._placed(node.comparators[0]):
            for constant in constants:
                comparable("==", left.type, constant.type)
        values = frozenset(constant.constant for constant in constants)
        inside = isinstance(node.ops[0], ast.In)
        return strict(BOOL, [left], lambda value: (value in values) is inside)

    def call(self, node: ast.Call) -> Code:
        name = dotted(node.func) or ""
        function = FUNCTIONS.get(name)
        if function is None:
            raise self.source.error(f"unknown function '{name}'{did_you_mean(name, FUNCTIONS)}", node.col_offset)
        if not function.least <= len(node.args) <= function.most:
            raise self.source.error(f"write {function.usage}", node.col_offset)
        parts = [self.visit(argument) for argument in node.args]
        with self._placed(node, node.args):
            return function.build(parts)


_VISITORS: dict[type[ast.expr], Callable[[_Compiler, Any], Code]] = {
    ast.Constant: _Compiler.constant,
    ast.Name: _Compiler.name,
    ast.Attribute: _Compiler.name,
    ast.BoolOp: _Compiler.logic,
    ast.UnaryOp: _Compiler.unary,
    ast.BinOp: _Compiler.arithmetic,
    ast.Compare: _Compiler.compare,
    ast.Call: _Compiler.call,
}


def _comparison(sign: str, first: Code, second: Code) -> Run:
    comparable(sign, first.type, second.type)
    left, right, apply = first.run, second.run, _COMPARE[sign]
    if second.constant is not None:
        return _with_constant(left, apply, second.constant)

    def run(env: Env) -> bool | Unknown:
        a, b = left(env), right(env)
        if a.__class__ is Unknown or b.__class__ is Unknown:
            return join((a, b))
        return bool(apply(a, b))

    return run


def _with_constant(left: Run, apply: Callable[[Any, Any], Any], constant: object) -> Run:
    """What most comparisons are, in half the time."""

    def run(env: Env) -> bool | Unknown:
        value = left(env)
        if value.__class__ is Unknown:
            return value
        found: bool = apply(value, constant)
        return found

    return run


def _arithmetic(sign: str, parts: Sequence[Code]) -> Code:
    types = [part.type for part in parts]
    numbers(f"'{sign}'", types)
    return Code(_result(sign, *types), _safe(_ARITHMETIC[sign], *(part.run for part in parts)), requires_of(parts))


def _result(sign: str, first: Type, second: Type) -> Type:
    if sign in "*/":
        return product(sign, first, second)
    if sign == "+":
        return same_unit("adds", first, second, "to")
    return same_unit("subtracts", second, first, "from")


def _safe(apply: Callable[[Any, Any], Any], left: Run, right: Run) -> Run:
    def run(env: Env) -> object:
        a, b = left(env), right(env)
        if a.__class__ is Unknown or b.__class__ is Unknown:
            return join((a, b))
        try:
            value = apply(a, b)
        except ZeroDivisionError:
            return BY_ZERO
        except OverflowError:
            return TOO_LARGE
        return value if -_HUGE < value < _HUGE else TOO_LARGE

    return run


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
