"""Instrumentor for LangChain and LangGraph: graphs, agents, nodes, tools, retrievers, stores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Row

__all__ = ["LangChainInstrumentor"]


class LangChainInstrumentor(AgentInstrumentor):
    """Record the runs of ``langchain`` and ``langgraph``; the SDKs' instrumentors record models.

    Example:
        >>> from otel_agents.instrumentors.langchain import LangChainInstrumentor
        >>> instrumentor = LangChainInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of langchain
        >>> # each ``graph.invoke(...)`` is one trace from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "langchain"
    requires = ("langchain-core >= 0.1.18, < 2",)
    packages = (
        *("langchain_core", "langgraph", "langchain", "langchain_classic"),
        *("langgraph_supervisor", "langsmith"),
    )
    conflicting = (
        "opentelemetry-instrumentation-langchain",
        "opentelemetry-instrumentation-genai-langchain",
        "openinference-instrumentation-langchain",
        "loongsuite-instrumentation-langchain",
        "splunk-otel-instrumentation-langchain",
    )
    vendor_exporter = (
        "LangSmith's tracing sends the inputs and outputs of runs to LangSmith; LANGSMITH_TRACING="
        "false (earlier LANGCHAIN_TRACING_V2) disables it, and nothing of otel-agents; the spans "
        "of its OpenTelemetry mode (LANGSMITH_OTEL_ENABLED), which record each run and model call "
        "a second time, are dropped where they would be exported with ours, unless "
        "OTEL_AGENTS_PREFER=theirs"
    )
    vendor_switches = (
        *("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2"),
        *("LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2"),
    )
    covers = (
        "graphs and chains (LangGraph's Graph and functional API, LCEL), agents, supervisor, swarm",
        "nodes, tasks, tools, retrievers, stores, interrupts, batches",
        "sync, async, stream, events, threads",
        "the application's own model classes",
    )

    def patches(self) -> Iterable[Row]:
        """Return the callback handler's registration, and the methods that it does not see."""
        from ._tables import ROWS

        return ROWS
