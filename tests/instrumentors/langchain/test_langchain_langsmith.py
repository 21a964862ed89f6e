"""LangSmith's tracing beside ours is theirs, and leaves our trace whole."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from langchain_graphs import CHAT, State, compiled
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")


@pytest.fixture
def langsmith() -> Any:
    """Return LangSmith's package, of a version that makes a span current in its functions."""
    if not hasattr(import_module("langsmith.run_helpers"), "_maybe_create_otel_context"):
        pytest.skip("before langsmith 0.4.2")
    return import_module("langsmith")


@pytest.fixture
def client(langsmith: Any) -> Any:
    """Return a client that emits spans, to a provider of its own, and sends nothing."""
    return langsmith.Client(
        api_url="http://127.0.0.1:9",
        api_key="none",
        info={},
        auto_batch_tracing=False,
        otel_enabled=True,
        otel_tracer_provider=TracerProvider(),
    )


def test_a_traceable_function_in_a_node_stays_in_the_trace(
    langsmith: Any, client: Any, llm: Any, emission: Emission, model: ScriptedModel
) -> None:
    @langsmith.traceable(client=client)
    def look_up(text: str) -> str:
        return str(llm.invoke(text).content)

    def node(state: State) -> dict[str, Any]:
        return {"messages": [("ai", look_up("hi"))]}

    with langsmith.tracing_context(enabled=True, client=client):
        compiled(node, name="g").invoke({"messages": [("user", "hi")]})
    assert emission.tree() == ["invoke_workflow g", "  node node", f"    {CHAT}"]
    assert emission.traces() == 1


def test_a_traceable_function_outside_of_runs_is_as_without_us(
    langsmith: Any, client: Any, emission: Emission
) -> None:
    @langsmith.traceable(client=client)
    def look_up() -> bool:
        return trace.get_current_span().get_span_context().is_valid

    with langsmith.tracing_context(enabled=True, client=client):
        assert look_up()
    assert emission.spans == ()
