"""Imports of the source modules, read from their text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["imports", "module_name"]

_MODULE = re.compile(r"otel_agents\.instrumentors\._core(\.\w+)+")
"""The name of a module of the core in a string, which may import it too."""
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def module_name(path: Path) -> str:
    """Return the full name of the module in ``path``, which is below a folder ``src``."""
    below = path.parts[::-1].index("src")
    parts = path.with_suffix("").parts[-below:]
    return ".".join(parts[:-1] if path.name == "__init__.py" else parts)


def imports(path: Path, *, with_itself: bool = False) -> set[str]:
    """Return the full names that a module imports: ``package.module.name`` for ``from package.module``.

    Names of modules of the core in strings count as well.

    Args:
        path: Where the module is, below a folder ``src``.
        with_itself: Only what is imported when the module is, so neither in functions nor for the
            sake of types; default is wherever it stands.
    """
    names: set[str] = set()
    for node in _nodes(ast.parse(path.read_text("utf-8")), with_itself):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{_absolute(path, node)}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and not with_itself:
            names |= {str(node.value)} if _MODULE.fullmatch(str(node.value)) else set()
    return names


def _nodes(tree: ast.AST, with_itself: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if with_itself and (isinstance(node, _FUNCTIONS) or _is_for_types(node)):
            continue
        yield node
        yield from _nodes(node, with_itself)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    """Return the module that is imported from; resolve a relative import."""
    if not node.level:
        return node.module or ""
    package = module_name(path.with_name("__init__.py")).split(".")
    package = package[: len(package) - node.level + 1]
    return ".".join((*package, *filter(None, [node.module])))
