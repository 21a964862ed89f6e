"""CrewAI's own trace session and our spans do not change each other."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from crews import CHAT, agent, crew, run_of, task, tool
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall


def search(query: str) -> str:
    """Search the web."""
    return f"found {query}"


def recorded(llm: Any, model: ScriptedModel) -> list[tuple[str, str]]:
    """Return name and parent's name of each span that the session records of a run."""
    tracing: Any = import_module("crewai.telemetry.tracing.session")
    kept = InMemorySpanExporter()
    session = tracing.TraceSession("run-1", [kept])
    model.script(Response(tool_calls=[ToolCall("search", {"query": "x"})]))
    with session.activate():
        crew(task(agent(llm, "Writer", tools=[tool(search)]))).kickoff()
    assert session.shutdown()
    spans = kept.get_finished_spans()
    names = {span.context.span_id: span.name for span in spans if span.context}
    return sorted((s.name, names.get(s.parent.span_id, "?") if s.parent else "") for s in spans)


def test_neither_changes_the_other(
    llm: Any, model: ScriptedModel, emission: Emission, instrument: Callable[..., None]
) -> None:
    alone = recorded(llm, model)
    assert len(alone) > 3
    instrument()
    assert recorded(llm, model) == alone
    calls = (CHAT, "execute_tool search", CHAT)
    assert emission.tree() == ["invoke_workflow", *run_of("Writer", *calls)]
