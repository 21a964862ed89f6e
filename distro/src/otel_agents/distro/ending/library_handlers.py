"""Libraries that install signal handlers and behave by the handler that they find.

CrewAI's handler raises `SystemExit` if it found ``SIG_DFL``, so that the program unwinds and runs
its exit handlers; any other handler it calls instead. So our handlers are hidden from such
libraries.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any, Final, TypeAlias

from wrapt import register_post_import_hook

from otel_agents.instrumentors.hosting import guarded

__all__ = ["hide_handlers_from_libraries"]

_Hidden: TypeAlias = Callable[[], AbstractContextManager[None]]
_REGISTERING: Final = (("crewai.telemetry.telemetry", "Telemetry", "_register_signal_handler"),)
"""Module, class and method that install handlers; not every version has them."""


def hide_handlers_from_libraries(hidden: _Hidden) -> None:
    """Run each method of `_REGISTERING` inside ``hidden()``, which hides our handlers."""
    for module, owner, method in _REGISTERING:
        register_post_import_hook(functools.partial(_wrap, owner, method, hidden), module)


@guarded("leaving signals to a library")
def _wrap(owner: str, method: str, hidden: _Hidden, module: ModuleType) -> None:
    kind = getattr(module, owner)
    register = getattr(kind, method, None)
    if register is None:
        return

    @functools.wraps(register)
    def register_hidden(*args: Any, **kwargs: Any) -> Any:
        with hidden():
            return register(*args, **kwargs)

    setattr(kind, method, register_hidden)
