"""The base class of every instrumentor: requirements, a table of patches, and a report."""

from __future__ import annotations

import logging
import sys
from abc import abstractmethod
from collections.abc import Collection, Iterable
from functools import partial
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Final

from opentelemetry.instrumentation.dependencies import DependencyConflict, DependencyConflictError
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from packaging.requirements import Requirement

from otel_agents.instrumentors.settings import Settings, disabled_instrumentations

from . import conflicts
from .imports import ImportTrigger
from .versions import distribution_of, installed_version

if TYPE_CHECKING:  # slow to import: done when a framework is imported
    from .patch_set import PatchSet
    from .patches import Row
    from .reports import Report

__all__ = ["AgentInstrumentor"]

_log = logging.getLogger("otel_agents")

_LOADER_OPTIONS: Final = ("skip_dep_check", "raise_exception_on_conflict")
"""Passed by OpenTelemetry's loaders, and not by an application that instruments itself."""

_TELEMETRY_OPTIONS: Final = (
    *("settings", "tracer_provider", "meter_provider", "logger_provider"),
    "completion_hook",
)


class AgentInstrumentor(BaseInstrumentor):
    """An instrumentor of one framework or model SDK.

    Example:
        >>> from otel_agents.instrumentors import AgentInstrumentor, InvokeAgent, Patch
        >>> def run(telemetry, call):
        ...     return InvokeAgent(telemetry, call.instance.name)
        >>> class HouseInstrumentor(AgentInstrumentor):
        ...     plain_name = "house"
        ...     requires = ("house >= 1",)
        ...     def patches(self):
        ...         return [Patch("house:Agent.run", run)]

    Attributes:
        plain_name: The library's short name, in the support matrix and in
            ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS``: ``openai``.
        requires: Requirements of which one must be met, as several distributions may hold the
            same framework.
        packages: The packages whose import prepares the patches, by default the plain name. Dotted
            if the framework shares its top package with others. Every target is in one of them.
        conflicting: Distributions that instrument the same library, if their metadata do not say
            so.
        covers: What is recorded, in a few words each, for the support matrix.
        own_telemetry: The library's own telemetry that records the same, if an application enables
            it: suppressed where ours is preferred, which doctor reports.
        is_native: Whether the library's own spans are kept and completed, which doctor reports.
        vendor_exporter: The library's own exporter to its vendor, which goes on in addition to
            ours, and how to disable it; doctor reports it.
        vendor_switches: Variables of which one must be ``true`` for that exporter to run; empty if
            it runs by default.
    """

    plain_name: ClassVar[str]
    requires: ClassVar[tuple[str, ...]]
    packages: ClassVar[tuple[str, ...]] = ()
    conflicting: ClassVar[tuple[str, ...]] = ()
    covers: ClassVar[tuple[str, ...]] = ()
    own_telemetry: ClassVar[str] = ""
    is_native: ClassVar[bool] = False
    vendor_exporter: ClassVar[str] = ""
    vendor_switches: ClassVar[tuple[str, ...]] = ()
    _import_trigger: ImportTrigger | None = None
    _patches: PatchSet | None = None

    @abstractmethod
    def patches(self) -> Iterable[Row]:
        """Return the rows to apply: a `Patch` for each function, a `Registration` for each hook.

        Called when the import of the framework starts. Import here what it needs, so that a
        framework that is installed but unused costs nothing.
        """

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return `requires`."""
        return self.requires

    def instrument(self, **kwargs: Any) -> Any:
        """Wait for the framework's import; import nothing.

        Args:
            **kwargs: ``tracer_provider``, ``meter_provider`` and ``logger_provider``, by default
                the global ones; ``completion_hook``, called with the content of each call, whatever
                is captured; ``settings``, by default from the environment; and what OpenTelemetry's
                own method takes.

        Raises:
            DependencyConflictError: The installed version is not supported, and ``skip_dep_check``
                or ``raise_exception_on_conflict`` was given.
        """
        by_loader = any(kwargs.get(name) for name in _LOADER_OPTIONS)
        if by_loader and self._defers_to_conflict():
            return None
        # opentelemetry-instrument checks requirements once per *distribution* and then passes
        # skip_dep_check. Our distribution holds every framework, so each must check its own. See
        # opentelemetry-instrumentation, auto_instrumentation/_load.py.
        if kwargs.pop("skip_dep_check", False):
            conflict = self._check_dependency_conflicts()
            if conflict is not None:
                raise DependencyConflictError(conflict)
            kwargs["skip_dep_check"] = True
        return super().instrument(**kwargs)

    def _defers_to_conflict(self) -> bool:
        """Return whether another distro loads us while a conflicting instrumentation is active.

        A loader that has taken over, as ours has, resolves conflicts itself.
        """
        if conflicts.loading_is_taken_over():
            return False
        active = conflicts.active_conflicts(type(self), disabled_instrumentations())
        if active:
            _log.warning(
                "otel-agents: %s is instrumented by %s, so ours is not applied; disable theirs by "
                "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=%s, or use our distro",
                self.plain_name,
                active[0],
                active[0].name,
            )
        return bool(active)

    def report(self) -> Report:
        """Return the state of every target; of none if nothing is instrumented."""
        from .reports import Report

        if self._import_trigger is not None:
            self._import_trigger.fire()
        return self._patches.report() if self._patches is not None else Report()

    def _check_dependency_conflicts(self) -> DependencyConflict | None:
        found: list[str] = []
        for text in self.requires:
            requirement = Requirement(text)
            try:
                installed = installed_version(requirement.name)
            except PackageNotFoundError:
                continue
            if requirement.specifier.contains(installed, prereleases=True):
                return None
            found.append(f"{requirement.name} {installed}")
        if not self._is_importable():
            found.clear()  # the distribution holds another library, as later versions may
        required = " or ".join(self.requires)
        return DependencyConflict(required, ", ".join(found) or None)

    def _is_importable(self) -> bool:
        """Return whether the framework can be imported; import nothing."""
        tops = {name.partition(".")[0] for name in self.packages or (self.plain_name,)}
        return any(top in sys.modules or find_spec(top) is not None for top in tops)

    def _instrument(self, **kwargs: Any) -> None:
        given = {name: kwargs.get(name) for name in _TELEMETRY_OPTIONS}
        given["settings"] = given["settings"] or Settings.read()
        packages = self.packages or (self.plain_name,)
        self._import_trigger = ImportTrigger(packages, lambda: self._prepare(given))

    def _prepare(self, given: dict[str, Any]) -> None:
        from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

        from .patch_set import PatchSet

        telemetry = Telemetry(type(self).__module__, **given)
        distributions = (Requirement(text).name for text in self.requires)
        source = partial(distribution_of, type(self).__module__)
        self._patches = PatchSet(self.plain_name, self.patches(), telemetry, distributions, source)
        self._patches.apply()

    def _uninstrument(self, **kwargs: Any) -> None:
        if self._import_trigger is not None:
            self._import_trigger.cancel()
            self._import_trigger = None
        if self._patches is not None:
            self._patches.undo()
            self._patches = None
