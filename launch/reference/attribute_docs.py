"""What the sources say below an attribute of a class: the string that follows it.

    users: int = 4
    \"\"\"UEs, each a process of its own.\"\"\"

Python keeps no such strings, so the source is read.
"""

import ast
import inspect
import sys
from functools import cache

from launch.reference.markdown import one_paragraph


def attribute_docs(kind: type) -> dict[str, str]:
    """By attribute, those of base classes included; the nearest class that says something counts."""
    found: dict[str, str] = {}
    for base in reversed([b for b in kind.__mro__ if not b.__module__.startswith("pydantic.")]):
        found |= _of_module(base.__module__).get(base.__qualname__, {})
    return found


@cache
def _of_module(name: str) -> dict[str, dict[str, str]]:
    """By class and attribute."""
    module = sys.modules[name]
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError):  # no Python source: a builtin
        return {}
    return {node.name: _of_class(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _of_class(node: ast.ClassDef) -> dict[str, str]:
    return {
        one.target.id: one_paragraph(text.value.value)
        for one, text in zip(node.body, node.body[1:], strict=False)
        if isinstance(one, ast.AnnAssign)
        and isinstance(one.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
