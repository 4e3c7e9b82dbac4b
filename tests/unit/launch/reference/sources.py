"""What the sources of the roles and of what they share say, found without running them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
PACKAGES = ("shared", "basestation", "channel_emulator", "userequipment", "launch")


@cache
def nodes() -> tuple[ast.AST, ...]:
    """Of all files."""
    paths = [p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py"))]
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in paths)
    return tuple(node for tree in trees for node in ast.walk(tree))


@cache
def _calls() -> tuple[ast.Call, ...]:
    return tuple(node for node in nodes() if isinstance(node, ast.Call))


def calls(*names: str) -> Iterator[ast.Call]:
    """Calls of functions, methods or classes of these names."""
    yield from (call for call in _calls() if name_of(call.func) in names)


def functions(*names: str) -> Iterator[ast.FunctionDef]:
    yield from (node for node in nodes() if isinstance(node, ast.FunctionDef) and node.name in names)


def constants() -> set[str]:
    """All strings."""
    return {node.value for node in nodes() if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def name_of(node: ast.expr) -> str:
    """The last part of `a.b.c`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def constant(node: ast.expr | None) -> str | None:
    """The string that is written there."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
