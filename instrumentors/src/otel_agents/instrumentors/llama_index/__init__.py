"""Instrumentor for LlamaIndex: agents, workflows, engines, retrievers, tools, models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Row

__all__ = ["LlamaIndexInstrumentor"]


class LlamaIndexInstrumentor(AgentInstrumentor):
    """Record the runs of LlamaIndex; the SDKs' instrumentors record models.

    Example:
        >>> from otel_agents.instrumentors.llama_index import LlamaIndexInstrumentor
        >>> instrumentor = LlamaIndexInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of llama_index
        >>> # each ``query_engine.query(...)`` is one trace from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "llama_index"
    requires = ("llama-index-core >= 0.10.44, < 0.15", "llama-index-workflows >= 1, < 3")
    packages = ("llama_index.core", "workflows")
    conflicting = (
        "opentelemetry-instrumentation-llamaindex",
        "opentelemetry-instrumentation-genai-llama-index",
        "openinference-instrumentation-llama-index",
        "llama-index-observability-otel",
        "loongsuite-instrumentation-llamaindex",
    )
    covers = (
        "query engines (sub-questions, routers) and chat engines, retrievers, rerankers, ingestion",
        "tools; agents (function, ReAct, CodeAct), `AgentWorkflow` with handoffs (core 0.12.12)",
        "`AgentRunner` (before 0.13); the application's workflows and their steps (0.10.59)",
        "interrupts (0.12.30), memory blocks (0.12.37), evaluators",
        "sync, async, stream",
        "the application's own model and embedding classes",
    )

    def patches(self) -> Iterable[Row]:
        """Return the span handler's registration, and the methods that it cannot follow."""
        from ._tables import ROWS

        return ROWS
