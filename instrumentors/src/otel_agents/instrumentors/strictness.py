"""For tests: raise errors in an instrumentor's own code instead of logging them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from ._core import errors

__all__ = ["strict_errors"]


@contextmanager
def strict_errors() -> Generator[None, None, None]:
    """Raise exceptions in an instrumentor's own code where they happen, while it is active.

    For tests only: in an application such an exception is logged once and the call goes on. It
    applies to every thread of the process.

        with strict_errors():
            instrumented_function()  # raises what its instrumentor's own code raises
    """
    before, errors.strict = errors.strict, True
    try:
        yield
    finally:
        errors.strict = before
