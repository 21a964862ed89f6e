"""The distribution that ``opentelemetry-instrument`` loads, and the same for use by code."""

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
from otel_agents.distro.starting.loading import Loader, load_all
from otel_agents.distro.starting.privacy import silence_frameworks
from otel_agents.distro.starting.threads import INSTRUMENTATION, carry_context_into_threads
from otel_agents.distro.starting.unusable import tell_unusable, usable
from otel_agents.instrumentors.hosting import guarded

__all__ = ["AgentsDistro", "initialize"]

_NAME: Final = "otel_agents"


class AgentsDistro(BaseDistro):
    """Loads instrumentors one by one and tells frameworks to send nothing home."""

    _loader: Loader | None = None

    @guarded("preparing the process")
    def _configure(self, **kwargs: Any) -> None:
        tell_unusable()
        _tell_of_others()
        if not Environment().flag(
            "OTEL_SDK_DISABLED"
        ):  # else the program runs as if we were not there
            silence_frameworks()
            _carry_contexts()

    @guarded("loading an instrumentor")
    def load_instrumentor(self, entry_point: EntryPoint, **kwargs: Any) -> None:
        """Load one instrumentor; raises nothing, so that the next ones are loaded too."""
        if self._loader is None:
            self._loader = Loader()
        self._loader.load(entry_point, **kwargs)


def initialize() -> None:
    """Do what ``opentelemetry-instrument`` does, for programs that cannot be started by it.

    Call it first, before the frameworks are imported: what a module took by ``from x import f``
    before cannot be reached, and a framework may start telemetry of its own on import. The second
    call does nothing, and so does the first one under ``opentelemetry-instrument``. Where the
    program has set a TracerProvider already, instrumentors are loaded into it and the rest is
    its own business.
    """
    if lifecycle.current() is not None:
        return
    distro: Any = AgentsDistro()
    distro.configure()
    if _has_provider():
        warn("a TracerProvider is set already; it is used as it is, call initialize() first")
    else:
        with usable():
            from otel_agents.distro.starting.configurator import AgentsConfigurator

        configurator: Any = AgentsConfigurator()
        configurator.configure(auto_instrumentation_version=instrumentation_version)
    load_all(Loader())


def _has_provider() -> bool:
    provider: object = trace.get_tracer_provider()
    return not isinstance(provider, trace.ProxyTracerProvider)


def _carry_contexts() -> None:
    disabled = Environment().listed(DISABLED_INSTRUMENTATIONS)
    if not {"*", INSTRUMENTATION} & set(disabled):
        carry_context_into_threads()


def _tell_of_others() -> None:
    """Of two distributions the first that is found wins, which nobody chose."""
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
