"""Installed libraries with GenAI spans of their own that no instrumentor here completes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Final

from otel_agents.semconv.foreign import SCOPES

__all__ = ["OtherLibrary", "other_libraries"]

_DISTRIBUTIONS: Final = MappingProxyType(
    {
        "AgentOps": ("agentops",),
        "Braintrust": ("braintrust",),
        "Haystack": ("haystack-ai",),
        "Laminar": ("lmnr",),
        "Langfuse": ("langfuse",),
        "LangSmith": ("langsmith",),
        "Langtrace": ("langtrace-python-sdk",),
        "Logfire": ("logfire",),
        "MLflow": ("mlflow", "mlflow-skinny", "mlflow-tracing"),
        "OpenLIT": ("openlit",),
        "OpenLLMetry": ("traceloop-sdk",),
        "Semantic Kernel": ("semantic-kernel",),
        "the Azure SDK": ("azure-ai-agents", "azure-ai-inference", "azure-ai-projects"),
    }
)
"""By library, as `SCOPES` names it, what installs it."""


@dataclass(frozen=True)
class OtherLibrary:
    """An installed library that has GenAI spans of its own, at least if the application enables them."""

    library: str
    installed: dict[str, str]
    scopes: tuple[str, ...]


def other_libraries() -> tuple[OtherLibrary, ...]:
    """Return those that are installed."""
    return tuple(
        OtherLibrary(
            library, found, tuple(scope.name for scope in SCOPES if scope.library == library)
        )
        for library, names in _DISTRIBUTIONS.items()
        if (found := dict(_versions(names)))
    )


def _versions(names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name in names:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue
