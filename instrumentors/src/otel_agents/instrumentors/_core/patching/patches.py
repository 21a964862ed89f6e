"""Patches as data: applied when their module is imported, undone exactly, every target reported.

Replacements are plain functions, which pickle, deep-copy and inspect as the originals do; object
proxies do not. wrapt serves for the import hooks only.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.machinery import PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Literal

import wrapt

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.around import Begin, Wrapping, around
from otel_agents.instrumentors._core.calls.switches import Switch

from .replacements import replace

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["Patch", "PatchSet", "Report", "TargetReport", "patches_of"]

_log = logging.getLogger("otel_agents")

State = Literal["waiting", "applied", "missing", "absent"]


@dataclass(frozen=True)
class Patch:
    """One function to replace.

    Attributes:
        target: ``"package.module:Class.method"`` or ``"package.module:function"``.
        wrapping: Builds the replacement, `calls.around` of an operation as a rule.
        optional: Not in every supported version: absent is no finding.
        subclasses: An abstract method: replaced in the subclasses that implement it, those to come
            included.
        overrides: A method that subclasses may override: replaced in its class, and in theirs as
            ``subclasses`` says.
        handed: The target is a method that is handed a class of the application's, which needs no
            known base: the method of this name is replaced in that class, when it is.
        decorated: The target is what a decorator made of a function, which it keeps in a variable of
            this name: that function is replaced instead. Names that were bound to the target
            before are covered too, and what the decorator does stays outside.
    """

    target: str
    wrapping: Wrapping
    optional: bool = False
    subclasses: bool = False
    overrides: bool = False
    handed: str | None = None
    decorated: str | None = None

    @property
    def module(self) -> str:
        """The module that holds the target."""
        return self.target.partition(":")[0]

    @property
    def path(self) -> list[str]:
        """The names that lead from the module to the target."""
        return self.target.partition(":")[2].split(".")


def patches_of(
    telemetry: Telemetry,
    table: Mapping[str, Callable[[Telemetry], Begin]],
    *,
    optional: bool = False,
    subclasses: bool = False,
) -> Iterator[Patch]:
    """A patch for each row of a table: a target, and what makes its operation's beginning.

    Args:
        telemetry: What the operations emit with.
        table: By target; the options hold for all of it.
        optional: See `Patch`.
        subclasses: See `Patch`; what an implementation calls by ``super()`` is part of its call.
    """
    for target, make in table.items():
        wrapping = around(make(telemetry), overridden=subclasses)
        yield Patch(target, wrapping, optional=optional, subclasses=subclasses)


@dataclass(frozen=True)
class TargetReport:
    """What became of one target: ``waiting`` for its import, ``applied``, ``missing``, ``absent``.

    ``absent`` is an optional target that this version does not have.
    """

    target: str
    state: State
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """What became of all targets of an instrumentor; ``str`` is one line for people."""

    targets: tuple[TargetReport, ...] = field(default=())

    def of(self, state: State) -> list[str]:
        """The targets in ``state``."""
        return [target.target for target in self.targets if target.state == state]

    def __str__(self) -> str:
        expected = len(self.targets) - len(self.of("absent"))
        line = f"{len(self.of('applied'))} of {expected} applied"
        waiting, missing = self.of("waiting"), self.of("missing")
        if waiting:
            line += f", {len(waiting)} wait for their import"
        return f"{line}, missing {', '.join(missing)}" if missing else line


class PatchSet:
    """The patches of one instrumentor; `apply` and `undo` once each.

    Args:
        name: The instrumentor's name, for the log.
        patches: What to replace.
    """

    def __init__(self, name: str, patches: Iterable[Patch]) -> None:
        self._name = name
        self._patches = tuple(patches)
        self._switch = Switch()
        self._undo: list[Callable[[], None]] = []
        self._states: dict[str, TargetReport] = {}

    def apply(self) -> None:
        """Register for the imports, and patch what is imported already. Imports nothing."""
        for patch in self._patches:
            self._states[patch.target] = TargetReport(patch.target, "waiting")
        for module in dict.fromkeys(patch.module for patch in self._patches):
            # By the name that it is imported by: a module may have changed its own.
            wrapt.register_post_import_hook(partial(self._module_imported, module), module)
        for package in dict.fromkeys(p.module.partition(".")[0] for p in self._patches):
            wrapt.register_post_import_hook(self._package_imported, package)

    def undo(self) -> None:
        """Put the originals back; where somebody wrapped us since, ours only goes inert."""
        self._switch.on = False  # wrapt cannot forget a hook: from here on ours do nothing
        for restore in reversed(self._undo):
            try:
                restore()
            except Exception:
                errors.internal_error("undoing a patch")
        self._undo.clear()

    def report(self) -> Report:
        """The state of every target as of now."""
        return Report(tuple(self._states[patch.target] for patch in self._patches))

    def _module_imported(self, name: str, module: ModuleType) -> None:
        if not self._switch.on:
            return
        for patch in self._patches:
            if patch.module == name:
                self._apply(patch, module)

    def _apply(self, patch: Patch, module: ModuleType) -> None:
        try:
            self._undo.extend(replace(patch, module, self._switch))
            self._states[patch.target] = TargetReport(patch.target, "applied")
        except AttributeError as error:
            self._miss(patch, str(error))
        except Exception:
            errors.internal_error(f"patching {patch.target}")
            self._miss(patch, "could not be patched")

    def _package_imported(self, package: ModuleType) -> None:
        """Find targets whose module does not exist: their import hook would never fire."""
        if not self._switch.on:
            return
        for patch in self._patches:
            inside = patch.module.partition(".")[0] == package.__name__
            if inside and self._states[patch.target].state == "waiting":
                try:
                    found = _module_exists(patch.module)
                except Exception:
                    errors.internal_error(f"looking for {patch.module}")
                    continue
                if not found:
                    self._miss(patch, f"no module {patch.module}")

    def _miss(self, patch: Patch, detail: str) -> None:
        state: State = "absent" if patch.optional else "missing"
        self._states[patch.target] = TargetReport(patch.target, state, detail)
        if state == "missing":
            _log.warning(
                "otel-agents: %s: %s was not found (%s), so its calls are not recorded; "
                "see `otel-agents doctor`, and update otel-agents",
                self._name,
                patch.target,
                detail,
            )


def _module_exists(name: str) -> bool:
    """Whether ``name`` can be imported, without importing it or the packages above it."""
    package, *rest = name.split(".")
    path = list(getattr(sys.modules[package], "__path__", []))
    for part in rest:
        package = f"{package}.{part}"
        if package in sys.modules:
            path = list(getattr(sys.modules[package], "__path__", []))
            continue
        spec = PathFinder.find_spec(package, path)
        if spec is None:
            return False
        path = list(spec.submodule_search_locations or [])
    return True
