"""What frameworks send home or tell unless told not to: told so here, where the user said nothing."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from otel_agents.distro.variables import offer

__all__ = ["PHONE_HOME_OFF", "silence_frameworks"]

PHONE_HOME_OFF: Final = MappingProxyType(
    {
        "CREWAI_DISABLE_TELEMETRY": "true",  # usage statistics to the vendor, on by default
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else its import fetches the price list
        "ANONYMIZED_TELEMETRY": "false",  # chromadb, which CrewAI brings
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "AUTOGEN_DISABLE_RUNTIME_TRACING": "true",  # spans for every message, and their content
    }
)
"""Read by the frameworks themselves, so they go into the environment."""


def silence_frameworks() -> None:
    """Set `PHONE_HOME_OFF`; what the user set stays."""
    offer(PHONE_HOME_OFF)
