"""The table of one instrumentor, applied when modules are imported and undone exactly.

Replacements are plain functions, which pickle, deep-copy and inspect as the originals do; object
proxies do not. wrapt serves for the import hooks only.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from importlib.machinery import PathFinder
from operator import attrgetter
from types import ModuleType
from typing import TYPE_CHECKING

import wrapt

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.call import Switch
from otel_agents.instrumentors._core.calls.watching import wrapping_of

from .patches import Landmark, Patch, Registration, Row
from .replacements import replace
from .reports import Report, TargetReport
from .versions import Distributions

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["PatchSet"]

_log = logging.getLogger("otel_agents")
_OTHER_VERSION = "the row is for other versions"


class PatchSet:
    """The rows of one instrumentor; call `apply` and `undo` once each.

    Args:
        name: The instrumentor's name, for the log.
        rows: What to replace and to register.
        telemetry: What the operations emit with.
        distributions: The distributions that hold the targets.
        source: Returns the distribution that has the rows; called only to log its name.
    """

    def __init__(
        self,
        name: str,
        rows: Iterable[Row],
        telemetry: Telemetry,
        distributions: Iterable[str] = (),
        source: Callable[[], str] = lambda: "otel-agents",
    ) -> None:
        self._name = name
        self._source = source
        self._rows = tuple(rows)
        for row in self._rows:
            if not isinstance(row, Row):  # pyright: ignore[reportUnnecessaryIsInstance]  tables of other packages are unchecked
                raise TypeError(f"a table contains rows, not {type(row).__name__}")
        self._telemetry = telemetry
        self._distributions = Distributions(distributions)
        self._switch = Switch()
        self._undo: list[Callable[[], None]] = []
        self._states: dict[int, TargetReport] = {}
        """By row, as several may have one target."""

    def apply(self) -> None:
        """Register import hooks, and patch what is imported already. Import nothing."""
        for row in self._rows:
            self._states[id(row)] = TargetReport(row.target, "waiting")
        for module in dict.fromkeys(row.module for row in self._rows):
            # By the name that it is imported by: a module may change its `__name__`.
            wrapt.register_post_import_hook(partial(self._module_imported, module), module)
        for package in dict.fromkeys(row.module.partition(".")[0] for row in self._rows):
            wrapt.register_post_import_hook(self._package_imported, package)

    def undo(self) -> None:
        """Restore the originals. If somebody has wrapped a replacement since, only disable it."""
        self._switch.on = False  # wrapt cannot remove a hook: ours do nothing from here on
        for restore in reversed(self._undo):
            try:
                restore()
            except Exception:
                errors.internal_error("undoing a patch")
        self._undo.clear()

    def report(self) -> Report:
        """Return the current state of every target."""
        return Report(tuple(self._states[id(row)] for row in self._rows))

    def _module_imported(self, name: str, module: ModuleType) -> None:
        if not self._switch.on:
            return
        for row in self._rows:
            if row.module != name:
                continue
            if self._is_expected(row):
                self._apply(row, module)
            else:
                self._states[id(row)] = TargetReport(row.target, "absent", _OTHER_VERSION)
        self._check_groups()

    def _apply(self, row: Row, module: ModuleType) -> None:
        try:
            self._undo.extend(self._replace(row, module))
            self._states[id(row)] = TargetReport(row.target, "applied")
        except AttributeError as error:
            self._not_found(row, _missing_attribute(module, error))
        except Exception:
            errors.internal_error(f"patching {row.target}")
            self._report_missing(row, "could not be patched")

    def _replace(self, row: Row, module: ModuleType) -> list[Callable[[], None]]:
        """Apply ``row``; return what undoes it."""
        if isinstance(row, Registration):
            return [row.apply(self._telemetry, module)]
        if isinstance(row, Landmark):
            _check_landmark(row, module)
            return []
        if not isinstance(row, Patch):
            raise TypeError(f"no row of a table is a {type(row).__name__}")
        wrapping = wrapping_of(
            row.how, self._telemetry, overridden=row.overridden, once_per=row.once_per
        )
        return replace(row, wrapping, module, self._switch)

    def _package_imported(self, package: ModuleType) -> None:
        """Find targets whose module does not exist: their import hook would never run."""
        if not self._switch.on:
            return
        for row in self._rows:
            in_package = row.module.partition(".")[0] == package.__name__
            if in_package and self._states[id(row)].state == "waiting":
                try:
                    found = _module_exists(row.module)
                except Exception:
                    errors.internal_error(f"looking for {row.module}")
                    continue
                if not found:
                    self._not_found(row, f"no module {row.module}")
        self._check_groups()

    def _not_found(self, row: Row, detail: str) -> None:
        """Report a target as missing, or as absent if this version need not have it."""
        if row.one_of is None and self._is_expected(row):
            self._report_missing(row, detail)
        else:
            self._states[id(row)] = TargetReport(row.target, "absent", detail)

    def _is_expected(self, row: Row) -> bool:
        """Return whether the installed version should have the target; if unknown, it should."""
        try:
            return self._distributions.expects(row.module, row.since, row.until)
        except Exception:
            errors.internal_error(f"comparing the version of {row.module}")
            return True

    def _check_groups(self) -> None:
        """Find groups of which this version should have a target, but has none."""
        groups: dict[str, list[Row]] = {}
        for row in self._rows:
            if row.one_of is not None:
                groups.setdefault(row.one_of, []).append(row)
        for group, rows in groups.items():
            if any(self._states[id(row)].state != "absent" for row in rows):
                continue
            expected = [row for row in rows if self._is_expected(row)]
            for row in expected:
                self._states[id(row)] = TargetReport(
                    row.target, "missing", f"none of the targets for {group} exists"
                )
            if expected:
                self._warn(
                    ", ".join(row.target for row in expected), f"no target for {group} exists"
                )

    def _report_missing(self, row: Row, detail: str) -> None:
        self._states[id(row)] = TargetReport(row.target, "missing", detail)
        self._warn(row.target, detail)

    def _warn(self, target: str, detail: str) -> None:
        _log.warning(
            "otel-agents: %s: %s was not found (%s), so its calls are not recorded; "
            "see `otel-agents doctor`, and update %s",
            self._name,
            target,
            detail,
            self._source(),
        )


def _check_landmark(row: Landmark, module: ModuleType) -> None:
    """Raise `AttributeError` if ``module`` does not define the target."""
    found = attrgetter(row.target.partition(":")[2])(module)
    if found.__module__ != row.module:
        raise AttributeError(f"it is defined in {found.__module__}")


def _missing_attribute(module: ModuleType, error: AttributeError) -> str:
    """Describe what is missing; Python suspects a circular import while ``module`` is imported."""
    return f"{module.__name__} has no {error.name}" if error.obj is module else str(error)


def _module_exists(name: str) -> bool:
    """Return whether ``name`` can be imported, without importing it or its packages."""
    package, *rest = name.split(".")
    path = list(getattr(sys.modules[package], "__path__", []))
    for part in rest:
        package = f"{package}.{part}"
        if package in sys.modules:
            path = list(getattr(sys.modules[package], "__path__", []))
            continue
        try:
            spec = PathFinder.find_spec(package, path)
        except KeyError:
            # A folder without `__init__.py`, as in LiteLLM: Python reads its path from the package
            # above, which is not imported yet.
            path = [os.path.join(folder, part) for folder in path]
            continue
        if spec is None:
            return False
        path = list(spec.submodule_search_locations or [])
    return True
