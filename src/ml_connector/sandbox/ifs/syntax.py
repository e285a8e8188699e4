"""The grammar of ``$filter``: tokens to a tree.

Rule: operators bind as OData 4.0 says; what IFS does not support is refused here by name (501).
It must not know properties or rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ml_connector.sandbox.ifs.errors import malformed, not_implemented
from ml_connector.sandbox.ifs.lexer import Token, tokens

DEPTH_MAX = 30
COMPARISONS = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
FUNCTIONS = {
    "contains": 2, "startswith": 2, "endswith": 2, "indexof": 2, "concat": 2,
    "length": 1, "tolower": 1, "toupper": 1, "trim": 1, "substring": 0,
}  # fmt: skip
REFUSED_FUNCTIONS = frozenset(
    {
        "round", "floor", "ceiling", "year", "month", "day", "hour", "minute", "second", "fractionalseconds", "date",
        "time", "totaloffsetminutes", "now", "mindatetime", "maxdatetime", "totalseconds", "cast", "isof",
        "matchesPattern", "any", "all", "hassubset", "hassubsequence",
    }
)  # fmt: skip
REFUSED_OPERATORS = frozenset({"has", "mod", "divby"})


@dataclass(frozen=True)
class Literal:
    """A constant; ``kind`` is that of its token, or "boolean", or "null"."""

    kind: str
    value: Any


@dataclass(frozen=True)
class Name:
    """A property."""

    name: str


@dataclass(frozen=True)
class Call:
    """An operator or function applied to its operands."""

    name: str
    parts: tuple["Node", ...]


Node = Literal | Name | Call


class Parser:
    """One pass over the tokens of one expression."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0

    @property
    def ahead(self) -> Token:
        """The next token."""
        return self._tokens[self._at]

    def take(self) -> Token:
        """The next token, gone past."""
        token = self.ahead
        self._at += 1
        return token

    def skip(self, text: str) -> bool:
        """Whether the next token is this mark; if so it is gone past."""
        if self.ahead.kind == "mark" and self.ahead.text == text:
            self._at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        """Go past a mark that must come next."""
        if not self.skip(text):
            raise unexpected(self.ahead)

    def word(self, words: frozenset[str]) -> str | None:
        """The next token if it is one of these words, gone past."""
        if self.ahead.kind == "name" and self.ahead.text in words:
            return self.take().text
        return None

    def expression(self) -> Node:
        """The whole of a boolean expression."""
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise malformed("ODP_MALFORMED_EXPRESSION", "The expression is nested too deeply.")
        node = self._chain("or", lambda: self._chain("and", self._comparison))
        self._depth -= 1
        return node

    def _chain(self, word: str, inner: Callable[[], Node]) -> Node:
        """One node however long the chain, so that a list of a thousand keys is not a thousand levels deep."""
        parts = [inner()]
        while self.word(frozenset({word})):
            parts.append(inner())
        return Call(word, tuple(parts)) if len(parts) > 1 else parts[0]

    def _left(self, words: tuple[str, ...], inner: Callable[[], Node]) -> Node:
        node = inner()
        while word := self.word(frozenset(words)):
            node = Call(word, (node, inner()))
        return node

    def _comparison(self) -> Node:
        node = self._relation()
        while word := self.word(frozenset({"eq", "ne"})):
            node = Call(word, (node, self._relation()))
        return node

    def _relation(self) -> Node:
        node = self._sum()
        while True:
            if word := self.word(frozenset({"gt", "ge", "lt", "le"})):
                node = Call(word, (node, self._sum()))
            elif self.word(frozenset({"in"})):
                node = Call("in", (node, *self._list()))
            else:
                return self._refuse_operator(node)

    def _refuse_operator(self, node: Node) -> Node:
        if word := self.word(REFUSED_OPERATORS):
            raise not_implemented(f"The operator '{word}'")
        return node

    def _list(self) -> tuple[Node, ...]:
        self.expect("(")
        parts = [self._sum()]
        while self.skip(","):
            parts.append(self._sum())
        self.expect(")")
        return tuple(parts)

    def _sum(self) -> Node:
        return self._left(("add", "sub"), lambda: self._left(("mul", "div"), self._unary))

    def _unary(self) -> Node:
        if self.word(frozenset({"not"})):
            return Call("not", (self._unary(),))
        if self.skip("-"):
            return Call("neg", (self._unary(),))
        return self._primary()

    def _primary(self) -> Node:
        if self.skip("("):
            node = self.expression()
            self.expect(")")
            return node
        token = self.take()
        if token.kind in ("mark", "end"):
            raise unexpected(token)
        if token.kind != "name":
            return Literal(token.kind, token.value)
        return self._named(token.text)

    def _named(self, text: str) -> Node:
        if text in ("true", "false"):
            return Literal("boolean", text == "true")
        if text == "null":
            return Literal("null", None)
        if "$" in text or "/" in text or text in REFUSED_FUNCTIONS:
            raise not_implemented(f"The expression '{text}'")
        return self._call(text) if self.skip("(") else Name(text)

    def _call(self, name: str) -> Node:
        if name not in FUNCTIONS:
            raise malformed("EXPRESSION_UNKNOWN_FUNCTION", f"The function '{name}' is not known.")
        parts = [self._sum()]
        while self.skip(","):
            parts.append(self._sum())
        self.expect(")")
        wanted = (FUNCTIONS[name],) if FUNCTIONS[name] else (2, 3)
        if len(parts) not in wanted:
            raise malformed("EXPRESSION_WRONG_PARAMETERS", f"Wrong number of parameters for '{name}'.")
        return Call(name, tuple(parts))


def parse(text: str) -> Node:
    """The tree of an expression."""
    parser = Parser(tokens(text))
    try:
        node = parser.expression()
    except RecursionError as problem:
        raise malformed("ODP_MALFORMED_EXPRESSION", "The expression is nested too deeply.") from problem
    if parser.ahead.kind != "end":
        raise unexpected(parser.ahead)
    return node


def unexpected(token: Token) -> Exception:
    """A token that cannot stand where it does."""
    text = f"'{token.text}'" if token.kind != "end" else "the end"
    return malformed("ODP_MALFORMED_EXPRESSION", f"Unexpected {text} in the expression.")
