"""The OpenTelemetry distribution for AI agents: SDK, defaults, lifecycle and command line.

from otel_agents.distro import initialize

initialize()  # as `opentelemetry-instrument` does; call it before importing frameworks
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from otel_agents.distro.starting.configurator import AgentsConfigurator
    from otel_agents.distro.starting.distribution import AgentsDistro, initialize

__all__ = ["AgentsConfigurator", "AgentsDistro", "initialize"]

_MODULES: Final = MappingProxyType(
    {
        "AgentsConfigurator": "configurator",
        "AgentsDistro": "distribution",
        "initialize": "distribution",
    }
)


def __getattr__(name: str) -> Any:
    # Imported on first access: the command line needs no SDK.
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from otel_agents.distro.starting.invalid import valid_environment

    with valid_environment():
        return getattr(import_module(f"{__name__}.starting.{module}"), name)
