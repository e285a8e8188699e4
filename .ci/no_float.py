"""Lint rule: money is never a float.

In the packages that touch amounts there is no float literal, no `float(…)` and no name annotated as one, unless it
counts seconds or is a share. Usage: python .ci/no_float.py FILE_OR_FOLDER…
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ALLOWED = ("_s", "seconds", "share_max")


def floats(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Lines with a float, and what it is."""
    spared = {id(part) for name, node in _named(tree) if name.endswith(ALLOWED) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in spared:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node.lineno, f"the float {node.value}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            yield node.lineno, "a call of float()"
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation and _says_float(node.annotation):
            yield node.lineno, "a float annotation"


def _named(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign | ast.Assign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            yield getattr(target, "id", ""), node
        elif isinstance(node, ast.keyword | ast.arg):
            yield node.arg or "", node


def _says_float(annotation: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "float" for node in ast.walk(annotation))


def main(folders: list[str]) -> int:
    """Print what is found; 1 when something is."""
    found = [
        f"{path}:{line}: {what}; amounts are Decimal"
        for folder in folders
        for path in (sorted(Path(folder).rglob("*.py")) if Path(folder).is_dir() else [Path(folder)])
        for line, what in floats(ast.parse(path.read_text()))
    ]
    print("\n".join(found) or "no float")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
