"""For tests: an error of ours is raised instead of logged, and what was dropped can be waited for."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from ._core import errors
from ._core.calls import disposal

__all__ = ["settled", "strict_errors"]


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


def settled(timeout: float) -> bool:
    """Wait until nothing that was dropped, such as a stream left half read, waits for its end.

    Args:
        timeout: Seconds to wait at most.

    Returns:
        Whether nothing is left.
    """
    return disposal.drain(timeout)
