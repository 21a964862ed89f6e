"""Callbacks when the import of a package starts, before its code runs.

An import hook runs afterwards, when the package's modules have already bound each other's
functions.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final, Literal, cast

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.forking import Lock, renew_after_fork
from otel_agents.instrumentors._core.system import Flag
from otel_agents.instrumentors._core.tables import Bounded

__all__ = ["ImportTrigger"]

_WAIT_SECONDS: Final = 5.0
"""How long an import in another thread waits. That thread may hold a lock that we need."""

_waiting: Final[Bounded[str, list[ImportTrigger]]] = Bounded(1024, inherited=True)
_lock: Final = Lock()  # for the states only: never held during foreign code or imports


def _renew() -> None:
    for triggers in _waiting.values():
        for trigger in list(triggers):
            trigger.renew()


renew_after_fork(_renew)


class ImportTrigger:
    """Calls ``callback`` once, when the import of the first of ``packages`` starts.

    It is called at once if one is imported already. An import in another thread waits until the
    callback is done, a few seconds at most. A failure is logged, and the import goes on.
    """

    def __init__(self, packages: tuple[str, ...], callback: Callable[[], None]) -> None:
        self._packages = packages
        self._callback = callback
        self._state: Literal["waiting", "running", "done"] = "waiting"
        self._thread: int | None = None
        self._done = Flag()
        with _lock:
            for package in packages:
                _waiting.setdefault(package, []).append(self)
            if _finder not in sys.meta_path:
                sys.meta_path.insert(0, _finder)
        if any(package in sys.modules for package in packages):
            self.fire()

    def fire(self) -> None:
        """Call it now, unless it was called or cancelled."""
        with _lock:
            claimed = self._state == "waiting"
            if claimed:
                self._state, self._thread = "running", threading.get_ident()
        if not claimed:
            self._wait()
            return
        try:
            self._callback()
        except Exception:
            errors.internal_error("preparing patches")
        finally:
            self._finish()

    def cancel(self) -> bool:
        """Prevent the call; return whether it was still pending."""
        with _lock:
            was_waiting = self._state == "waiting"
            if was_waiting:
                self._finish()
        if not was_waiting:
            self._wait()
        return was_waiting

    def renew(self) -> None:
        """In a forked child: finish what another thread of the parent was running."""
        if self._state == "running" and self._thread != threading.get_ident():
            self._done = Flag()  # its lock may be inherited locked
            self._finish()

    def _wait(self) -> None:
        """Wait for the thread that runs it, unless that is this one."""
        if self._state == "running" and self._thread != threading.get_ident():
            self._done.wait(_WAIT_SECONDS)

    def _finish(self) -> None:
        with _lock:
            self._state = "done"
            for package in self._packages:
                triggers = _waiting.get(package) or []
                if self in triggers:
                    triggers.remove(self)
                if not triggers:
                    _waiting.pop(package)
        self._done.set()


class _Finder:
    """Finds what the other finders find, and fires the triggers when it is loaded.

    Not earlier: Python holds a lock of the whole process while it looks for a module.
    """

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the module's spec with our loader; None if no trigger waits for ``name``."""
        if name not in _waiting:
            return None
        spec = _find_with_others(name, path, target)
        if spec is None:
            return None
        if not hasattr(spec.loader, "exec_module"):  # a namespace package, or a legacy loader
            _fire(name)
            return _find_with_others(name, path, target)
        spec.loader = cast(Any, _Loader(spec.loader, path, target))
        return spec


class _Loader:
    """Fires the triggers, then loads as ``loader`` does."""

    def __init__(self, loader: Any, path: Any, target: Any) -> None:
        self._loader = loader
        self._arguments = path, target

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Fire the triggers, then restore the module's own loader."""
        _fire(spec.name)
        # The triggers may have registered import hooks, which must see this module too.
        spec_now = _find_with_others(spec.name, *self._arguments)
        if spec_now is not None and spec_now.loader is not None:
            self._loader = spec_now.loader
        spec.loader = self._loader
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, if somebody has kept this loader."""
        self._loader.exec_module(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


def _fire(name: str) -> None:
    for trigger in tuple(_waiting.get(name) or ()):
        trigger.fire()


def _find_with_others(name: str, path: Any, target: Any) -> ModuleSpec | None:
    others = (finder for finder in tuple(sys.meta_path) if finder is not _finder)
    specs = (finder.find_spec(name, path, target) for finder in others)
    return next((spec for spec in specs if spec is not None), None)


_finder = _Finder()
