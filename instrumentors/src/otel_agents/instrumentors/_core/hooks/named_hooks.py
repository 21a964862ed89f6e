"""Hooks that settings name, loaded when they are first needed."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Callable
from functools import cached_property, reduce
from importlib.metadata import entry_points
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from otel_agents.instrumentors._core import errors, system
from otel_agents.instrumentors._core.forking import renew_after_fork

from .guard import is_external

__all__ = ["NamedHook"]

_log = logging.getLogger("otel_agents")


class _NotReadyError(Exception):
    """The hook's module is still being imported."""


class NamedHook:
    """A hook that a setting names; loaded once, when there is content for it.

    The application is mostly imported at that time. If it is not, the call does not wait for the
    import, since the importing thread may wait for this call: the hook is absent, and is looked up
    again the next time.

    Args:
        kind: The hook's name in messages: ``"the redaction hook"``.
        group: The group of its entry points.
        name: An entry point of the group, or ``module:attribute``.
        variable: The variable that names it.
        accept: Makes the hook from the loaded object. May raise anything.
        without: What its absence means: ``"none is called"``.
    """

    def __init__(
        self,
        kind: str,
        group: str,
        name: str,
        variable: str,
        accept: Callable[[Any], Any],
        without: str,
    ) -> None:
        self._kind = kind
        self._group = group
        self._name = name
        self._variable = variable
        self._accept = accept
        self._without = without
        self._hook: Any = None
        self._program: ModuleType | None = None
        self.resolved = False
        """Whether the lookup has finished, with or without a hook."""
        self._renew()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        self._loading = system.Lock()  # never waited for

    @property
    def is_absent(self) -> bool:
        """Whether it is known that no hook exists."""
        return self.resolved and self._hook is None

    def get(self) -> Any:
        """Return the hook; None if there is none, or none yet."""
        if not self.resolved:
            self._load()
        return self._hook

    def _load(self) -> None:
        lock = self._loading
        if not lock.acquire(blocking=False):
            self._wait("is being loaded")
            return
        try:
            if not self.resolved:
                self._hook = self._accept(self._found())
                self.resolved = True
        except _NotReadyError as error:
            self._wait(str(error))
        except BaseException as error:
            if is_external(error):
                raise
            self.resolved = True
            _log.warning("otel-agents: %s", self.unavailable(f"{type(error).__name__}: {error}"))
        finally:
            lock.release()

    def _found(self) -> Any:
        name, path = self.location
        module = self._program or _module(name)
        if module is sys.modules.get("__main__"):
            self._program = module  # must not run a second time
        try:
            return reduce(getattr, filter(None, path.split(".")), module)
        except AttributeError:
            if module is self._program or _is_running(module):
                raise _NotReadyError(f"is not defined yet, as {name} still runs") from None
            raise

    def _wait(self, why: str) -> None:
        if errors.counts.add(f"waiting for {self._kind}"):
            _log.warning(
                "otel-agents: %s %r %s, so until then %s; further cases are only counted",
                self._kind,
                self._name,
                why,
                self._without,
            )

    @cached_property
    def location(self) -> tuple[str, str]:
        """The module and the attribute of the hook.

        Raises:
            LookupError: No entry point has that name, and it is not ``module:attribute``.
        """
        return _location_of(self._group, self._name)

    def unavailable(self, reason: str) -> str:
        """Return a sentence: why the hook is missing, what that means, and what to do."""
        return (
            f"{self._kind} {self._name!r} cannot be loaded ({reason}), so {self._without}; "
            f"install what provides it, correct {self._variable}, or unset it"
        )


def _location_of(group: str, name: str) -> tuple[str, str]:
    for found in entry_points(group=group):
        if found.name == name:
            return found.module, found.attr
    module, _, path = name.partition(":")
    if not path:
        raise LookupError(f"no entry point of that name in the group {group}")
    return module, path


def _module(name: str) -> ModuleType:
    """Return the module, imported if needed; the running program itself if it is that file."""
    module = sys.modules.get(name)
    if module is not None:
        return module  # possibly still being imported
    parts = name.split(".")
    for number in range(1, len(parts)):
        package = ".".join(parts[:number])
        if _is_running(sys.modules.get(package)):
            raise _NotReadyError(f"cannot be imported yet, as {package} still runs")
    return _program(name) or importlib.import_module(name)


def _is_running(module: ModuleType | None) -> bool:
    """Return whether a module is being imported."""
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _program(name: str) -> ModuleType | None:
    """Return the module that runs as ``__main__`` if it is the module ``name``."""
    program = sys.modules.get("__main__")
    if program is None or getattr(program.__spec__, "name", None) == name:
        return program
    file = getattr(program, "__file__", None)
    spec = find_spec(name) if file is not None else None
    if file is None or spec is None or spec.origin is None:
        return None
    try:
        return program if os.path.samefile(spec.origin, file) else None
    except OSError:  # one of the two does not exist
        return None
