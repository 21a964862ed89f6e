"""Hooks of the application's that see content: how they are found."""

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
    """What is looked for is in a module that has not run to its end."""


class NamedHook:
    """A hook that a setting names; looked for when there is content for it, and found once.

    By then the application is imported, mostly. Where it is not, nobody waits for it, as it may
    wait for who asks: the hook is not there yet, and is looked for again the next time.

    Args:
        kind: What it is: ``"the redaction hook"``.
        group: The group of its entry points.
        name: An entry point of the group, or ``module:attribute``.
        variable: Where the name is from.
        accept: What becomes of what was found: the hook. May raise anything.
        without: What it means that there is none: ``"none is called"``.
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
        """Whether it is known by now which hook there is, or that there is none."""
        self._renew()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        self._loading = system.Lock()  # nobody waits for it

    @property
    def is_absent(self) -> bool:
        """Whether it is known by now that there is none."""
        return self.resolved and self._hook is None

    def get(self) -> Any:
        """The hook; None where there is none, or none yet."""
        if not self.resolved:
            self._load()
        return self._hook

    def _load(self) -> None:
        looking = self._loading
        if not looking.acquire(blocking=False):
            self._wait("is being looked for")
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
            looking.release()

    def _found(self) -> Any:
        name, path = self.location
        module = self._program or _module(name)
        if module is sys.modules.get("__main__"):
            self._program = module  # which is to run once
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
        """The module and the attribute in which it is.

        Raises:
            LookupError: There is no entry point of that name, and it is no ``module:attribute``.
        """
        return _location_of(self._group, self._name)

    def unavailable(self, reason: str) -> str:
        """A sentence: why there is none, what that means, and what to do."""
        return (
            f"{self._kind} {self._name!r} cannot be loaded ({reason}), so {self._without}; "
            f"install the package that brings it, or unset {self._variable}"
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
    """The module, imported unless it is; the program itself where it is run from that file."""
    module = sys.modules.get(name)
    if module is not None:
        return module  # maybe not to its end
    parts = name.split(".")
    for number in range(1, len(parts)):
        package = ".".join(parts[:number])
        if _is_running(sys.modules.get(package)):
            raise _NotReadyError(f"cannot be imported yet, as {package} still runs")
    return _program(name) or importlib.import_module(name)


def _is_running(module: ModuleType | None) -> bool:
    """Whether a module is being imported."""
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _program(name: str) -> ModuleType | None:
    """What runs as ``__main__``, if it is that module."""
    program = sys.modules.get("__main__")
    if program is None or getattr(program.__spec__, "name", None) == name:
        return program
    file = getattr(program, "__file__", None)
    spec = find_spec(name) if file is not None else None
    if file is None or spec is None or spec.origin is None:
        return None
    try:
        return program if os.path.samefile(spec.origin, file) else None
    except OSError:  # one of the two is no file
        return None
