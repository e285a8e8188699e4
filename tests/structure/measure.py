"""What a tree of Python is like, in figures: how large its parts are, how much is said of them, what goes in circles.

Rule: the code is read, never run, so that this project and others are measured alike.
Must not know: which project it is.
"""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

LEFT_OUT = ("tests", "test", "vendor", "_vendor")  # folders
RUN = 6  # lines that stand twice before they count as repeated
Function = ast.FunctionDef | ast.AsyncFunctionDef
Edges = dict[str, set[str]]


@dataclass(frozen=True)
class Module:
    """One file; `packaged`: whether it is the face of its folder."""

    name: str
    packaged: bool
    lines: tuple[str, ...]
    tree: ast.Module
    statements: tuple[ast.stmt, ...]

    @property
    def functions(self) -> Iterator[Function]:
        """All functions, those in others too."""
        return (node for node in self.statements if isinstance(node, Function))


@dataclass(frozen=True)
class Spread:
    """How large things are."""

    middle: int
    p90: int
    largest: int

    def __str__(self) -> str:
        return f"{self.middle} / {self.p90} / {self.largest}"


@dataclass(frozen=True)
class Figures:
    """A tree in figures; `documented` of what is public and `typed` of functions in percent, as is `repeated` of lines.

    `circles`: groups of modules of which each imports, in the end, itself; `loose`: those there are when imports inside
    of functions and for types alone count too.
    """

    modules: int
    lines: int
    module_lines: Spread
    function_lines: Spread
    parameters: Spread
    circles: tuple[tuple[str, ...], ...]
    loose: tuple[tuple[str, ...], ...]
    documented: int
    typed: int
    repeated: float


def measured(root: Path) -> Figures:
    """The figures of a package, from its folder."""
    modules = read(root)
    functions = [one for module in modules for one in module.functions]
    told = [bool(ast.get_docstring(one)) for module in modules for one in _public(module)]
    returns = [one.returns is not None for one in functions if one.name != "__init__"]
    return Figures(
        modules=len(modules),
        lines=sum(len(one.lines) for one in modules),
        module_lines=_spread(len(one.lines) for one in modules if one.lines),
        function_lines=_spread(_length(one) for one in functions),
        parameters=_spread(len(parameters(one)) for one in functions),
        circles=circles(imports(modules, loose=False)),
        loose=circles(imports(modules, loose=True)),
        documented=_share(told),
        typed=_share(returns),
        repeated=_repeated(modules),
    )


def read(root: Path) -> list[Module]:
    """The modules of a package."""
    return [_module(root, path) for path in sorted(root.rglob("*.py")) if not set(path.parts).intersection(LEFT_OUT)]


def _module(root: Path, path: Path) -> Module:
    steps = path.relative_to(root.parent).with_suffix("").parts
    packaged = steps[-1] == "__init__"
    text = path.read_text("utf-8")
    name, tree = ".".join(steps[:-1] if packaged else steps), ast.parse(text)
    return Module(name, packaged, tuple(text.splitlines()), tree, tuple(_statements(tree.body)))


def _statements(body: Iterable[ast.AST]) -> Iterator[ast.stmt]:
    """All statements, however deep; no statement stands within an expression."""
    for node in body:
        if isinstance(node, ast.stmt):
            yield node
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            for field in ("body", "orelse", "handlers", "finalbody", "cases"):
                yield from _statements(getattr(node, field, ()))


def _length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def parameters(function: Function) -> list[str]:
    """The names of what a function is given, but for whose method it is."""
    given = function.args
    extra = [one for one in (given.vararg, given.kwarg) if one]
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs, *extra)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def _public(module: Module) -> Iterator[ast.Module | ast.ClassDef | Function]:
    """What others may use: the module, its classes and functions, and their methods."""
    if any(step.startswith("_") for step in module.name.split(".")):
        return
    yield module.tree
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node
            yield from _methods(node) if isinstance(node, ast.ClassDef) else ()


def _methods(kind: ast.ClassDef) -> Iterator[Function]:
    return (node for node in kind.body if isinstance(node, Function) and not node.name.startswith("_"))


def imports(modules: Sequence[Module], *, loose: bool) -> Edges:
    """Which module imports which; `loose`: also inside of functions, and for types alone."""
    names = {one.name for one in modules}
    edges: Edges = {}
    for one in modules:
        nodes = one.statements if loose else _at_import(one.tree.body)
        found = {name for node in nodes for name in _named(one, node, names)}
        edges[one.name] = found - {one.name}
    return edges


def _at_import(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when the module is imported."""
    for node in body:
        if isinstance(node, ast.Try):
            yield from _at_import([*node.body, *(one for handler in node.handlers for one in handler.body)])
        elif isinstance(node, ast.If):
            typing = "TYPE_CHECKING" in ast.dump(node.test)
            yield from _at_import(node.orelse if typing else [*node.body, *node.orelse])
        else:
            yield node


def _named(module: Module, node: ast.AST, names: set[str]) -> Iterator[str]:
    """The modules of the tree that an import names."""
    if isinstance(node, ast.Import):
        yield from (one.name for one in node.names if one.name in names)
    if isinstance(node, ast.ImportFrom):
        origin = _origin(module, node)
        for one in node.names:
            inner = f"{origin}.{one.name}"
            yield from (name for name in (inner if inner in names else origin,) if name in names)


def _origin(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    steps = module.name.split(".")
    up = node.level - 1 if module.packaged else node.level
    return ".".join([*steps[: len(steps) - up], *([node.module] if node.module else [])])


def circles(edges: Edges) -> tuple[tuple[str, ...], ...]:
    """The groups of modules that import one another in a circle."""
    left = _tangled(edges)
    ahead = {name: _reached(left, name) for name in left}
    groups = {
        tuple(sorted(other for other in reached if name in ahead[other]))
        for name, reached in ahead.items()
        if name in reached
    }
    return tuple(sorted(groups))


def _tangled(edges: Edges) -> Edges:
    """Those that are left when whoever imports nobody is taken away, again and again."""
    while ended := {name for name, found in edges.items() if not found}:
        edges = {name: found - ended for name, found in edges.items() if name not in ended}
    return edges


def _reached(edges: Edges, start: str) -> set[str]:
    found: set[str] = set()
    waiting = list(edges[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += edges.get(name, ())
    return found


def _repeated(modules: Sequence[Module]) -> float:
    """How much of the code, in percent, is in runs of lines that stand somewhere else too, to the letter."""
    code = {one.name: _code(one) for one in modules}
    places: defaultdict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    for name, lines in code.items():
        for at in range(len(lines) - RUN + 1):
            places[tuple(lines[at : at + RUN])].append((name, at))
    twice = {
        (name, at + step) for found in places.values() if len(found) > 1 for name, at in found for step in range(RUN)
    }
    return round(100 * len(twice) / max(1, sum(map(len, code.values()))), 1)


def _code(module: Module) -> list[str]:
    """The lines that say something, without docstrings, comments and imports."""
    passed = [one for one in module.statements if isinstance(one, ast.Import | ast.ImportFrom) or _is_text(one)]
    left_out = {line for one in passed for line in _lines(one)}
    plain = [line.strip() for number, line in enumerate(module.lines, 1) if number not in left_out]
    return [line for line in plain if any(map(str.isalnum, line)) and not line.startswith("#")]


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _lines(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _spread(sizes: Iterable[int]) -> Spread:
    ordered = sorted(sizes) or [0]
    return Spread(round(median(ordered)), ordered[int(0.9 * (len(ordered) - 1))], ordered[-1])


def _share(said: Sequence[bool]) -> int:
    counted = Counter(said)
    return round(100 * counted[True] / max(1, len(said)))
