"""The OpenTelemetry distribution for AI agents: SDK, defaults, lifecycle and command line.

from otel_agents.distro import initialize

initialize()  # what `opentelemetry-instrument` does, before the frameworks are imported
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_agents.distro.starting.configurator import AgentsConfigurator
    from otel_agents.distro.starting.distribution import AgentsDistro, initialize

__all__ = ["AgentsConfigurator", "AgentsDistro", "initialize"]


def __getattr__(name: str) -> Any:
    # Imported when asked for: the command line needs no SDK.
    if name == "AgentsConfigurator":
        from otel_agents.distro.starting.configurator import AgentsConfigurator

        return AgentsConfigurator
    if name in __all__:
        from otel_agents.distro.starting import distribution

        return getattr(distribution, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
