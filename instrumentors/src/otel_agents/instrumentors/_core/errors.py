"""Exceptions: what the user's are called, and the one place where ours are logged and counted."""

from __future__ import annotations

import logging
import sys
import traceback
from collections import Counter
from pathlib import Path

_log = logging.getLogger("otel_agents")

counts: Counter[str] = Counter()
"""Internal errors by what was being done: the values of the metric ``otel_agents.errors``.

A forked child begins with none (`forking`): they are its parent's to tell.
"""

strict = False
"""Whether they are raised instead, as tests want it."""


def error_type(error: BaseException) -> str:
    """The exception's class, as the official packages write it: qualified unless built in."""
    kind = type(error)
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def internal_error(doing: str) -> None:
    """Log the exception being handled, the first time in full, and count it.

    The exception's text is not logged: it may quote a prompt.

    Args:
        doing: What failed, as a participle: ``"recording a response"``.
    """
    if strict:
        raise  # noqa: PLE0704  called while an exception is being handled
    counts[doing] += 1
    if counts[doing] > 1:
        return
    error = sys.exc_info()[1]
    frames = list(traceback.extract_tb(error.__traceback__ if error else None))
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
    _log.warning(
        "otel-agents failed while %s (%s at %s); the application is unaffected, "
        "further errors of this kind are only counted",
        doing,
        type(error).__name__,
        where,
    )
    _log.debug("otel-agents failed while %s", doing, exc_info=True)
