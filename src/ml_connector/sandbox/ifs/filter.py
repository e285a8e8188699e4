"""Turns a ``$filter`` tree into a test of rows.

Rule: null behaves as in SQL: a comparison with it is neither true nor false, and only true rows pass.
It must not know where rows come from or what is done with them.
"""

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from ml_connector.sandbox.ifs.errors import database, malformed, not_implemented, unknown_property
from ml_connector.sandbox.ifs.folding import STARTS, folded
from ml_connector.sandbox.ifs.lexer import EnumLiteral
from ml_connector.sandbox.ifs.moment import Moments
from ml_connector.sandbox.ifs.syntax import COMPARISONS, Literal, Name, Node
from ml_connector.sandbox.ifs.view import View
from ml_connector.sandbox.world import Kind, Row

Read = Callable[[Row], Any]
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


class Term(NamedTuple):
    """A part of an expression: what kind of value it gives, and how."""

    kind: str  # a Kind, "null", or an enumeration's qualified name
    read: Read
    constant: bool = False
    value: Any = None


def row_test(node: Node, view: View, moments: Moments) -> Read:
    """The test that the tree of a ``$filter`` makes."""
    return boolean(Compiler(view, moments).term(folded(node))).read


class Compiler:
    """Compiles the expressions of one request against one view."""

    def __init__(self, view: View, moments: Moments) -> None:
        self._view = view
        self._moments = moments

    def term(self, node: Node) -> Term:
        """The term of a tree."""
        if isinstance(node, Name):
            return self._column(node.name)
        if isinstance(node, Literal):
            return self.literal(node)
        parts = [self.term(part) for part in node.parts]
        if node.name in COMPARISONS:
            return comparison(node.name, parts[0], parts[1])
        return _MAKE[node.name](node.name, parts)

    def literal(self, node: Literal) -> Term:
        """The term of a constant."""
        if isinstance(node.value, EnumLiteral):
            return self._enum(node.value)
        value = self._moments.read(node.value) if node.kind == Kind.INSTANT else node.value
        return constant(node.kind, None if value == "" else value)  # '' is null in Oracle

    def _enum(self, literal: EnumLiteral) -> Term:
        known = {self._view.enum_type(column) for column in self._view.columns.values() if column.item.enum}
        if literal.type_name not in known:
            raise malformed("ODP_UNKNOWN_TYPE", f"The type '{literal.type_name}' is not known.")
        return constant(literal.type_name, literal.member)

    def _column(self, name: str) -> Term:
        column = self._view.columns.get(name)
        if column is None:
            raise unknown_property(name, self._view.type_name)
        kind = self._view.enum_type(column) if column.item.enum else column.kind
        return Term(kind, column.read)


def constant(kind: str, value: Any) -> Term:
    """A term that is the same for every row."""

    def read(_: Row) -> Any:
        return value

    return Term(kind, read, constant=True, value=value)


def boolean(term: Term) -> Term:
    """The term, which must be true or false."""
    if term.kind not in (Kind.BOOLEAN, "null"):
        raise incompatible()
    return term


def incompatible() -> Exception:
    """Kinds that do not go together."""
    return malformed("EXPRESSION_TYPES_NOT_COMPATIBLE", "The types of the operands are not compatible.")


def comparison(name: str, left: Term, right: Term) -> Term:
    """One of the six comparisons."""
    if "null" in (left.kind, right.kind) and name in ("eq", "ne"):
        return _null_test(name, left, right)
    check_same(left, right)
    if left.kind.startswith("IfsApp.") and name not in ("eq", "ne"):
        raise incompatible()
    compare = _COMPARE[name]
    read, other, value = left.read, right.read, right.value
    if right.constant and value is not None:
        return _truth(lambda row: None if (own := read(row)) is None else compare(own, value))

    def test(row: Row) -> bool | None:
        one, two = read(row), other(row)
        return None if one is None or two is None else compare(one, two)

    return _truth(test)


def _null_test(name: str, left: Term, right: Term) -> Term:
    read = left.read if right.kind == "null" else right.read
    wanted = name == "eq"
    return _truth(lambda row: (read(row) is None) is wanted)


def check_same(left: Term, right: Term) -> None:
    """Refuse operands of different kinds."""
    if left.kind != right.kind and "null" not in (left.kind, right.kind):
        raise incompatible()


def _truth(read: Read) -> Term:
    return Term(Kind.BOOLEAN, read)


def _and(_: str, parts: list[Term]) -> Term:
    tests = [boolean(part).read for part in parts]
    if len(tests) == 2:
        return _truth(_both(*tests))

    def test(row: Row) -> bool | None:
        result: bool | None = True
        for each in tests:
            value = each(row)
            if value is False:
                return False
            result = None if value is None else result
        return result

    return _truth(test)


def _both(one: Read, two: Read) -> Read:
    def test(row: Row) -> bool | None:
        first = one(row)
        if first is False:
            return False
        second = two(row)
        return second if first or second is False else None

    return test


def _or(_: str, parts: list[Term]) -> Term:
    tests = [boolean(part).read for part in parts]

    def test(row: Row) -> bool | None:
        result: bool | None = False
        for each in tests:
            value = each(row)
            if value:
                return True
            result = None if value is None else result
        return result

    return _truth(test)


def _not(_: str, parts: list[Term]) -> Term:
    read = boolean(parts[0]).read
    return _truth(lambda row: None if (value := read(row)) is None else not value)


def _in(_: str, parts: list[Term]) -> Term:
    left, rest = parts[0], parts[1:]
    for term in rest:
        check_same(left, term)
        if not term.constant:
            raise not_implemented("'in' with anything but constants")
    read, values = left.read, {term.value for term in rest} - {None}
    holds_null = any(term.value is None for term in rest)

    def test(row: Row) -> bool | None:
        value = read(row)
        if value is None:
            return None
        return True if value in values else None if holds_null else False

    return _truth(test)


def _arithmetic(name: str, parts: list[Term]) -> Term:
    if any(part.kind not in (Kind.NUMBER, "null") for part in parts):
        if any(part.kind in (Kind.DATE, Kind.INSTANT) for part in parts):
            raise not_implemented("Date arithmetic")
        raise incompatible()
    return Term(Kind.NUMBER, _strict(_ARITHMETIC[name], parts))


def _divide(one: Decimal, two: Decimal) -> Decimal:
    if not two:
        raise database(400, 1476, "divisor is equal to zero")
    return one / two


_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": _divide,
    "neg": operator.neg,
}


def _substring(text: str, start: Decimal, length: Decimal | None = None) -> str | None:
    first = max(int(start), 0)
    return text[first : None if length is None else first + max(int(length), 0)] or None


def _contains(text: str, part: str) -> bool:
    return part in text


def _index_of(text: str, part: str) -> Decimal:
    return Decimal(text.find(part))


def _length(text: str) -> Decimal:
    return Decimal(len(text))


def _trim(text: str) -> str | None:
    return text.strip(" ") or None


_STRING: dict[str, tuple[str, Callable[..., Any]]] = {
    "contains": (Kind.BOOLEAN, _contains),
    "startswith": (Kind.BOOLEAN, str.startswith),
    "endswith": (Kind.BOOLEAN, str.endswith),
    "indexof": (Kind.NUMBER, _index_of),
    "length": (Kind.NUMBER, _length),
    "concat": (Kind.STRING, operator.add),
    "tolower": (Kind.STRING, str.lower),
    "toupper": (Kind.STRING, str.upper),
    "trim": (Kind.STRING, _trim),
    "substring": (Kind.STRING, _substring),
}


def _function(name: str, parts: list[Term]) -> Term:
    wanted = [Kind.STRING, Kind.NUMBER, Kind.NUMBER] if name == "substring" else [Kind.STRING, Kind.STRING]
    for part, kind in zip(parts, wanted, strict=False):
        if part.kind not in (kind, "null"):
            raise incompatible()
    kind, function = _STRING[name]
    return Term(kind, _strict(function, parts))


def _strict(function: Callable[..., Any], parts: list[Term]) -> Read:
    """Null in, null out."""
    reads = [part.read for part in parts]

    def read(row: Row) -> Any:
        values = [each(row) for each in reads]
        return None if any(value is None for value in values) else function(*values)

    return read


def _starts(_: str, parts: list[Term]) -> Term:
    if any(part.kind not in (Kind.STRING, "null") for part in parts):
        raise incompatible()
    read, texts = parts[0].read, tuple(part.value for part in parts[1:])
    return _truth(lambda row: None if (own := read(row)) is None else own.startswith(texts))


_MAKE: dict[str, Callable[[str, list[Term]], Term]] = {
    STARTS: _starts,
    "and": _and,
    "or": _or,
    "not": _not,
    "in": _in,
    **dict.fromkeys(_ARITHMETIC, _arithmetic),
    **dict.fromkeys(_STRING, _function),
}
