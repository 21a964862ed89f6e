"""Libraries that set a handler of signals, and go by the one that they find.

CrewAI's raises `SystemExit` where it found ``SIG_DFL``, so that a program unwinds and runs its exit
handlers; another one it calls in place of that. So it finds what it would without us.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, TypeAlias

from wrapt import register_post_import_hook

from otel_agents.instrumentors.hosting import guarded

__all__ = ["defer"]

_Unseen: TypeAlias = Callable[[], AbstractContextManager[None]]
_SETTING: Final = (("crewai.telemetry.telemetry", "Telemetry", "_register_signal_handler"),)
"""The methods that set them; not every version has one."""


def defer(unseen: _Unseen) -> None:
    """Have each of `_SETTING` run while ours are ``unseen``."""
    for module, owner, method in _SETTING:
        register_post_import_hook(functools.partial(_wrap, owner, method, unseen), module)


@guarded("leaving signals to a library")
def _wrap(owner: str, method: str, unseen: _Unseen, module: Any) -> None:
    kind = getattr(module, owner)
    setting = getattr(kind, method, None)
    if setting is None:
        return

    @functools.wraps(setting)
    def set_unseen(*args: Any, **kwargs: Any) -> Any:
        with unseen():
            return setting(*args, **kwargs)

    setattr(kind, method, set_unseen)
