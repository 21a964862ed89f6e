"""Loading instrumentors one by one: what fails, is missing or is off never stops the next."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import cached_property
from importlib.metadata import EntryPoint
from typing import Any

from opentelemetry.instrumentation.dependencies import DependencyConflictError

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


class Loader:
    """Decides about each instrumentor that is registered, and loads it.

    From the first one of a process on, ours do not stand back by themselves for a rival.
    """

    def __init__(self, environment: Environment | None = None) -> None:
        self._environment = environment or Environment()
        self._disabled = self._environment.listed(DISABLED_INSTRUMENTATIONS)
        take_over_loading()

    def load(self, entry_point: EntryPoint, **kwargs: Any) -> None:
        """Load one instrumentor; raises nothing. ``kwargs`` are those of ``instrument``."""
        try:
            if self._wanted(entry_point):
                entry_point.load()().instrument(**kwargs)
        except Exception as error:  # noqa: BLE001  a foreign instrumentor may raise anything
            library = self._left_to(entry_point)
            if library is None:
                _tell(entry_point, error)
            else:
                warn(
                    "%s is left to %s, which cannot be loaded (%s: %s); install what it lacks, or "
                    "unset OTEL_AGENTS_PREFER",
                    library,
                    _described(entry_point),
                    type(error).__name__,
                    error,
                )

    def _wanted(self, entry_point: EntryPoint) -> bool:
        if self._is_disabled(entry_point):
            return False
        if is_ours(entry_point):
            return self._ours_runs(entry_point)
        return self._theirs_runs(entry_point)

    def _is_disabled(self, entry_point: EntryPoint) -> bool:
        """Whether the user has it off; ours too where the SDK is, as it could record nothing."""
        names = {"*", entry_point.name}
        if is_ours(entry_point):
            if self._environment.flag("OTEL_SDK_DISABLED"):
                return True
            names.add(plain_name(entry_point))
        return not names.isdisjoint(self._disabled)

    def _ours_runs(self, entry_point: EntryPoint) -> bool:
        if self._prefer is Prefer.OURS:
            return True
        return not active_conflicts(entry_point.load(), self._disabled)

    def _theirs_runs(self, entry_point: EntryPoint) -> bool:
        if (why := metadata_problem(entry_point)) is not None:
            warn(
                "the instrumentor %s is not loaded, as the metadata of its distribution cannot be "
                "read (%s); install it again, or uninstall it",
                entry_point.name,
                why,
            )
            return False
        if refuses(entry_point):  # the loader of OpenTelemetry asks only from 0.58 on
            return False
        library, rival = self._contested.get(entry_point.value, (None, None))
        if library is None or rival is None or self._prefer is Prefer.THEIRS:
            return True
        if rival.is_broader:
            warn(
                "%s is instrumented by otel-agents, and with more by %s, so both run; "
                "OTEL_AGENTS_PREFER=theirs leaves it to that one, "
                "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=%s to otel-agents",
                library,
                _described(entry_point),
                rival.name,
            )
            return True
        warn(
            "%s is instrumented by otel-agents, so %s is not loaded; "
            "OTEL_AGENTS_PREFER=theirs turns it round",
            library,
            _described(entry_point),
        )
        return False

    def _left_to(self, entry_point: EntryPoint) -> str | None:
        """The library that ours leaves to this one, as the user prefers theirs."""
        if is_ours(entry_point) or self._prefer is Prefer.OURS:
            return None
        return self._contested.get(entry_point.value, (None, None))[0]

    @cached_property
    def _prefer(self) -> Prefer:
        return Settings.read().prefer

    @cached_property
    def _contested(self) -> dict[str, tuple[str, ConflictingInstrumentation]]:
        """The rivals of what ours can instrument, with its plain name, by their entry point's value."""
        contested: dict[str, tuple[str, ConflictingInstrumentation]] = {}
        for entry_point in registered(GROUP):
            if is_ours(entry_point) and not self._is_disabled(entry_point):
                for rival in _conflicts(entry_point):
                    contested[rival.value] = plain_name(entry_point), rival
        return contested


def _conflicts(entry_point: EntryPoint) -> tuple[ConflictingInstrumentation, ...]:
    """The rivals of one of ours, none if ours refuses the installed version itself."""
    try:
        instrumentor = entry_point.load()
        if instrumentor()._check_dependency_conflicts() is not None:
            return ()
        return registered_conflicts(instrumentor)
    except Exception:  # noqa: BLE001  `load` will tell, when its turn comes
        return ()


def load_all(loader: Loader) -> None:
    """Load every registered instrumentor, with the hooks before and after, as auto-instrumentation."""
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


def _tell(entry_point: EntryPoint, error: Exception) -> None:
    """Why one was not loaded: nothing, if only its library is missing."""
    if isinstance(error, DependencyConflictError):
        _tell_conflict(entry_point, error)
    elif isinstance(error, ModuleNotFoundError):
        _log.debug("%s is not instrumented: %s", entry_point.name, error)
    else:
        warn(
            "the instrumentor %s failed to load (%s: %s); the others are unaffected",
            entry_point.name,
            type(error).__name__,
            error,
        )


def _tell_conflict(entry_point: EntryPoint, error: DependencyConflictError) -> None:
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


def _found(conflict: Any) -> str:
    found: Iterable[str] = getattr(conflict, "found_any", None) or ()
    return conflict.found or ", ".join(found)


def _required(conflict: Any) -> str:
    required: Iterable[str] = getattr(conflict, "required_any", None) or ()
    return str(conflict.required or ", ".join(map(str, required)))


def _described(entry_point: EntryPoint) -> str:
    distribution: Any = entry_point.dist
    return distribution.metadata["Name"] if distribution is not None else entry_point.name
