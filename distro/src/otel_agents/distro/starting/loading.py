"""Loading of instrumentors, one by one: a failed, missing or disabled one never stops the next."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import cached_property
from importlib.metadata import EntryPoint
from typing import Any, TypeAlias

from opentelemetry.instrumentation.dependencies import DependencyConflict, DependencyConflictError

from otel_agents.distro.discovery import registered
from otel_agents.distro.environment import DISABLED_INSTRUMENTATIONS, Environment
from otel_agents.distro.notices import warn
from otel_agents.instrumentors.hosting import (
    GROUP,
    ConflictingInstrumentation,
    active_conflicts,
    is_ours,
    metadata_problem,
    plain_name,
    refuses,
    registered_conflicts,
    take_over_loading,
)
from otel_agents.instrumentors.settings import Prefer, Settings

__all__ = ["Loader", "load_all"]

_log = logging.getLogger("otel_agents")

_Conflict: TypeAlias = tuple[str, ConflictingInstrumentation]
"""The plain name of our instrumentor, and what instruments the same library."""


class Loader:
    """Decides about each registered instrumentor, and loads it.

    Once a process has one, our instrumentors no longer skip themselves because of a conflict.
    """

    def __init__(self, environment: Environment | None = None) -> None:
        self._environment = environment or Environment()
        self._disabled = self._environment.listed(DISABLED_INSTRUMENTATIONS)
        take_over_loading()

    def load(self, entry_point: EntryPoint, **kwargs: Any) -> None:
        """Load one instrumentor; raise nothing. ``kwargs`` are passed to ``instrument``."""
        try:
            if self._is_enabled(entry_point):
                entry_point.load()().instrument(**kwargs)
        except Exception as error:  # noqa: BLE001  a foreign instrumentor may raise anything
            replaced = self._replaced(entry_point)
            if replaced is None:
                _report_failure(entry_point, error)
            else:
                warn(
                    "%s is left to %s, which cannot be loaded (%s: %s); install what is missing, "
                    "or unset OTEL_AGENTS_PREFER",
                    *replaced,
                    type(error).__name__,
                    error,
                )

    def _is_enabled(self, entry_point: EntryPoint) -> bool:
        if self._is_disabled(entry_point):
            return False
        if is_ours(entry_point):
            return self._is_ours_enabled(entry_point)
        return self._is_theirs_enabled(entry_point)

    def _is_disabled(self, entry_point: EntryPoint) -> bool:
        """Return whether the user disabled it or, for ours, the SDK."""
        names = {"*", entry_point.name}
        if is_ours(entry_point):
            if self._environment.flag("OTEL_SDK_DISABLED"):
                return True
            names.add(plain_name(entry_point))
        return not names.isdisjoint(self._disabled)

    def _is_ours_enabled(self, entry_point: EntryPoint) -> bool:
        if self._prefer is Prefer.OURS:
            return True
        instrumentor = entry_point.load()
        # One that completes a library's own spans counts its calls once, beside theirs too.
        return instrumentor.is_native or not active_conflicts(instrumentor, self._disabled)

    def _is_theirs_enabled(self, entry_point: EntryPoint) -> bool:
        if (why := metadata_problem(entry_point)) is not None:
            warn(
                "the instrumentor %s is not loaded, as the metadata of its distribution cannot be "
                "read (%s); install it again, or uninstall it",
                entry_point.name,
                why,
            )
            return False
        # Before 0.57 opentelemetry-instrumentation loads theirs whatever version is installed:
        # https://github.com/open-telemetry/opentelemetry-python-contrib/pull/3610
        if refuses(entry_point):
            return False
        known = self._conflicts.get(entry_point.value)
        if known is None or self._prefer is Prefer.THEIRS:
            return True
        library, conflict = known
        if conflict.is_broader:
            warn(
                "%s is instrumented by otel-agents, and with more by %s, so both run; "
                "set OTEL_AGENTS_PREFER=theirs to leave it to that one, "
                "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=%s to otel-agents",
                library,
                conflict,
                conflict.name,
            )
            return True
        warn(
            "%s is instrumented by otel-agents, so %s is not loaded; "
            "set OTEL_AGENTS_PREFER=theirs to change that",
            library,
            conflict,
        )
        return False

    def _replaced(self, entry_point: EntryPoint) -> _Conflict | None:
        """Return what the user leaves to this one by ``OTEL_AGENTS_PREFER=theirs``."""
        if is_ours(entry_point) or self._prefer is Prefer.OURS:
            return None
        return self._conflicts.get(entry_point.value)

    @cached_property
    def _prefer(self) -> Prefer:
        return Settings.read().prefer

    @cached_property
    def _conflicts(self) -> dict[str, _Conflict]:
        """By the entry point's value."""
        conflicts: dict[str, _Conflict] = {}
        for entry_point in registered(GROUP):
            if is_ours(entry_point) and not self._is_disabled(entry_point):
                for conflict in _conflicts_of(entry_point):
                    conflicts[conflict.value] = plain_name(entry_point), conflict
        return conflicts


def _conflicts_of(entry_point: EntryPoint) -> tuple[ConflictingInstrumentation, ...]:
    """Return conflicts of our instrumentor; none if it does not support the installed version."""
    try:
        instrumentor = entry_point.load()
        conflicts = registered_conflicts(instrumentor)
        # Few have any, and to look for the installed version takes longer.
        if conflicts and instrumentor()._check_dependency_conflicts() is not None:
            return ()
        return conflicts
    except Exception:  # noqa: BLE001  `load` reports it
        return ()


def load_all(loader: Loader) -> None:
    """Load all registered instrumentors, with pre and post hooks, as auto-instrumentation does."""
    _run_hooks("opentelemetry_pre_instrument")
    for entry_point in registered(GROUP):
        loader.load(entry_point, raise_exception_on_conflict=True)
    _run_hooks("opentelemetry_post_instrument")


def _run_hooks(group: str) -> None:
    for entry_point in registered(group):
        try:
            hook: Callable[[], object] = entry_point.load()
            hook()
        except Exception as error:  # noqa: BLE001  a foreign hook may raise anything
            warn("the hook %s failed (%s: %s)", entry_point.name, type(error).__name__, error)


def _report_failure(entry_point: EntryPoint, error: Exception) -> None:
    """Log why one was not loaded; at DEBUG if only its library is missing."""
    if isinstance(error, DependencyConflictError):
        _report_version(entry_point, error)
    elif isinstance(error, ModuleNotFoundError):
        _log.debug("%s is not instrumented: %s", entry_point.name, error)
    else:
        warn(
            "the instrumentor %s failed to load (%s: %s); the others are unaffected",
            entry_point.name,
            type(error).__name__,
            error,
        )


def _report_version(entry_point: EntryPoint, error: DependencyConflictError) -> None:
    conflict = error.conflict
    found = _found(conflict)
    if not found:
        _log.debug("%s is not instrumented: %s", entry_point.name, conflict)
        return
    warn(
        "%s is not instrumented: %s is installed, supported is %s",
        plain_name(entry_point),
        found,
        _required(conflict),
    )


def _found(conflict: DependencyConflict) -> str:
    # Before 0.57 opentelemetry-instrumentation has no `found_any`:
    # https://github.com/open-telemetry/opentelemetry-python-contrib/pull/3610
    found: Iterable[str] = getattr(conflict, "found_any", None) or ()
    return conflict.found or ", ".join(found)


def _required(conflict: DependencyConflict) -> str:
    required: Iterable[str] = getattr(conflict, "required_any", None) or ()
    return str(conflict.required or ", ".join(map(str, required)))
