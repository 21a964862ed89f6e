"""Being told that the import of a package begins, before anything of it runs.

An import hook is told afterwards, when the package's own modules have bound each other's functions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from typing import Any, Final

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.forking import Lock
from otel_agents.instrumentors._core.tables import Bounded

__all__ = ["Announcement"]

_waiting: Final[Bounded[str, list[Announcement]]] = Bounded(1024, inherited=True)
_lock: Final = Lock()


class Announcement:
    """Calls ``callback`` once, when the import of the first of ``packages`` begins.

    It is called at once if one is imported already. An import in another thread waits until it
    is done. If it fails, that is reported, and the import goes on.
    """

    def __init__(self, packages: tuple[str, ...], callback: Callable[[], None]) -> None:
        self._packages = packages
        self._callback = callback
        with _lock:
            for package in packages:
                _waiting.setdefault(package, []).append(self)
            if _finder not in sys.meta_path:
                sys.meta_path.insert(0, _finder)
        if any(package in sys.modules for package in packages):
            self.make()

    def make(self) -> None:
        """Call it now, unless it was called or cancelled."""
        with _lock:
            if not self.cancel():
                return
            try:
                self._callback()
            except Exception:
                errors.internal_error("preparing patches")

    def cancel(self) -> bool:
        """Have it not called any more; whether it was still to be called."""
        with _lock:
            found = [(package, _waiting.get(package)) for package in self._packages]
            lists = [announcements for _, announcements in found if announcements is not None]
            waited = any(self in announcements for announcements in lists)
            for announcements in lists:
                if self in announcements:
                    announcements.remove(self)
            for package in self._packages:
                if not _waiting.get(package):
                    _waiting.pop(package)
            return waited


class _Finder:
    """Finds nothing; it is asked first."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Announce ``name``."""
        if name not in _waiting:
            return None
        before = tuple(sys.meta_path)
        for announcement in tuple(_waiting.get(name) or ()):
            announcement.make()
        # Import hooks that are registered now come before us: this import has passed their place.
        new = (finder for finder in tuple(sys.meta_path) if finder not in before)
        specs = (finder.find_spec(name, path, target) for finder in new)
        return next((spec for spec in specs if spec is not None), None)


_finder = _Finder()
