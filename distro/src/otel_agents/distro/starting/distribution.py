"""The distribution that ``opentelemetry-instrument`` loads, and `initialize` for use in code."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.instrumentation.distro import BaseDistro
from opentelemetry.instrumentation.version import __version__ as instrumentation_version

from otel_agents.distro.discovery import registered
from otel_agents.distro.ending import lifecycle
from otel_agents.distro.environment import DISABLED_INSTRUMENTATIONS, Environment
from otel_agents.distro.notices import warn
from otel_agents.distro.starting import processes, threads
from otel_agents.distro.starting.content_switches import set_content_switches
from otel_agents.distro.starting.invalid import valid_environment, warn_of_invalid_variables
from otel_agents.distro.starting.loading import Loader, load_all
from otel_agents.distro.starting.privacy import disable_vendor_telemetry
from otel_agents.instrumentors.hosting import guarded

__all__ = ["AgentsDistro", "initialize"]

_NAME: Final = "otel_agents"


class AgentsDistro(BaseDistro):
    """Loads instrumentors one by one, and disables vendor telemetry.

    Example:
        distro = AgentsDistro()
        distro.configure()
        group = "opentelemetry_instrumentor"
        for entry_point in entry_points(group=group, name="otel_agents_openai"):
            distro.load_instrumentor(entry_point)
    """

    _loader: Loader | None = None

    @guarded("preparing the process")
    def _configure(self, **kwargs: Any) -> None:
        warn_of_invalid_variables()
        _warn_of_other_distributions()
        if not Environment().flag("OTEL_SDK_DISABLED"):  # else the program runs unchanged
            disable_vendor_telemetry()
            set_content_switches()
            _carry_contexts()

    @guarded("loading an instrumentor")
    def load_instrumentor(self, entry_point: EntryPoint, **kwargs: Any) -> None:
        """Load one instrumentor; raise nothing, so that the next ones are loaded too."""
        if self._loader is None:
            self._loader = Loader()
        self._loader.load(entry_point, **kwargs)


def initialize() -> None:
    """Do what ``opentelemetry-instrument`` does, for programs that cannot be started by it.

        from otel_agents.distro import initialize

        initialize()
        import openai  # frameworks and SDKs after it

    Call it before frameworks are imported: names that a module imported earlier by ``from x import
    f`` cannot be patched, and a framework may start its own telemetry on import. A second call
    does nothing, nor does any call under ``opentelemetry-instrument``. If the program has set a
    TracerProvider, instrumentors are loaded for it, and the program is responsible for the rest.
    """
    if lifecycle.current() is not None:
        return
    distro: Any = AgentsDistro()
    distro.configure()
    if _has_provider():
        warn(
            "a TracerProvider is already set and is used unchanged; "
            "call initialize() before setting one"
        )
    else:
        with valid_environment():
            from otel_agents.distro.starting.configurator import AgentsConfigurator

        configurator: Any = AgentsConfigurator()
        configurator.configure(auto_instrumentation_version=instrumentation_version)
    load_all(Loader())


def _has_provider() -> bool:
    provider: object = trace.get_tracer_provider()
    return not isinstance(provider, trace.ProxyTracerProvider)


def _carry_contexts() -> None:
    disabled = set(Environment().listed(DISABLED_INSTRUMENTATIONS))
    if not {"*", threads.INSTRUMENTATION} & disabled:
        threads.carry_context_into_threads()
    if not {"*", processes.INSTRUMENTATION} & disabled:
        processes.carry_context_into_processes()


def _warn_of_other_distributions() -> None:
    """Warn of other distributions: the first one that is found wins."""
    environment = Environment()
    if environment.text("OTEL_PYTHON_DISTRO") is not None:
        return
    names = {entry_point.name for entry_point in registered("opentelemetry_distro")}
    others = sorted(names - {_NAME})
    if others:
        warn(
            "another distribution is installed (%s), and the first one found wins; set "
            "OTEL_PYTHON_DISTRO=%s and OTEL_PYTHON_CONFIGURATOR=%s, or uninstall it",
            ", ".join(others),
            _NAME,
            _NAME,
        )
