"""For tests: an error of an instrumentor's own code is raised instead of logged."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from ._core import errors

__all__ = ["strict_errors"]


@contextmanager
def strict_errors() -> Generator[None, None, None]:
    """While it lasts, an exception of an instrumentor's own code is raised where it happens.

    For tests alone: in an application such an exception is logged once and the call goes on.
    It holds in every thread of the process.

        with strict_errors():
            instrumented_function()  # raises what its instrumentor's own code raises
    """
    before, errors.strict = errors.strict, True
    try:
        yield
    finally:
        errors.strict = before
