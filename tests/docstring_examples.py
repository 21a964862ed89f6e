"""Examples in docstrings: the first indented block, as source."""

from __future__ import annotations

import inspect
import textwrap

__all__ = ["example"]


def example(documented: object) -> str:
    """Return the example of a class, function or module.

    Raises:
        StopIteration: The docstring has no indented block.
    """
    lines = inspect.cleandoc(documented.__doc__ or "").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("    "))
    rest = lines[start:]
    end = next(
        (n for n, line in enumerate(rest) if line and not line.startswith("    ")), len(rest)
    )
    return textwrap.dedent("\n".join(rest[:end]))
