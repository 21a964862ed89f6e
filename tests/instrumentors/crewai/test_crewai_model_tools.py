"""Tools that ``LLM.call`` executes itself: in its trace, with its id and the tool's error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from crews import CHAT, crewai

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

SECRET = "planted-secret"
SPEC = [
    {
        "type": "function",
        "function": {
            "name": "add",
            "description": "add",
            "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}},
        },
    }
]
TREE = ["model_call", f"  {CHAT}", "  execute_tool add"]
ASYNC = hasattr(import_module("crewai.llms.base_llm").BaseLLM, "acall")

pytestmark = pytest.mark.usefixtures("instrumented")


def add(x: int) -> str:
    return f"{x} more"


def fail(x: int) -> str:
    raise ValueError(SECRET)


@pytest.fixture(params=["sync", "stream", "async", "async stream"])
def call_model(request: pytest.FixtureRequest, model: ScriptedModel) -> Callable[[Any], Any]:
    """Return a function that calls a model, which requests a tool."""
    llm: Any = crewai.LLM(
        model="gpt-4o-mini",
        base_url=model.openai_url,
        api_key="none",
        stream="stream" in request.param,
    )
    if request.param != "sync" and not ASYNC:
        pytest.skip("this version has no such method, and executes nothing of a stream")
    model.script(Response(tool_calls=[ToolCall("add", {"x": 1}, id="call_7")]))

    def call(function: Any) -> Any:
        given: dict[str, Any] = {"tools": SPEC, "available_functions": {"add": function}}
        if "async" in request.param:
            return asyncio.run(llm.acall("Add", **given))
        return llm.call("Add", **given)

    return call


def attributes_by_name(emission: Emission) -> dict[str, Any]:
    (span,) = [span for span in emission.spans if span.name == "execute_tool add"]
    attributes = dict(span.attributes or {})
    return {name: attributes.get(name) for name in ("gen_ai.tool.call.id", "error.type")}


def test_what_is_executed_is_in_the_trace_of_the_call(
    call_model: Callable[[Any], Any], emission: Emission
) -> None:
    assert call_model(add) == "1 more"
    assert emission.tree() == TREE
    assert attributes_by_name(emission) == {"gen_ai.tool.call.id": "call_7", "error.type": None}


def test_what_it_raises_is_its_error(call_model: Callable[[Any], Any], emission: Emission) -> None:
    call_model(fail)
    assert emission.tree()[:3] == TREE
    assert attributes_by_name(emission) == {
        "gen_ai.tool.call.id": "call_7",
        "error.type": "ValueError",
    }
    assert SECRET not in emission.texts()


def test_within_a_span_it_is_none_of_its_own(
    call_model: Callable[[Any], Any], emission: Emission
) -> None:
    with emission.tracer_provider.get_tracer("app").start_as_current_span("mine"):
        call_model(add)
    assert emission.tree() == ["mine", *TREE[1:]]
    assert attributes_by_name(emission)["gen_ai.tool.call.id"] == "call_7"


def test_a_call_without_functions_is_as_it_was(llm: Any, emission: Emission) -> None:
    llm.call("hi")
    assert emission.tree() == [CHAT]
