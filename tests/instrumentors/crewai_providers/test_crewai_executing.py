"""Tools that a model class executes within its call, and the request with their result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from crew_providers import PROVIDERS, Provider

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

SECRET = "planted-secret"
SEARCH = "execute_tool search"
TOKENS = "gen_ai.usage.input_tokens"
BEDROCK = PROVIDERS["bedrock"]
PARAMETERS = {"type": "object", "properties": {"query": {"type": "string"}}}
FUNCTION = {"name": "search", "description": "Search.", "parameters": PARAMETERS}
TOOLS = [{"type": "function", "function": FUNCTION}]

Instrument = Callable[..., None]


def search(query: str) -> str:
    return f"found {query}"


def fail(query: str) -> str:
    raise LookupError(SECRET)


def call(provider: Provider, model: ScriptedModel, function: Any = search) -> Any:
    """Call the model, which requests the tool; CrewAI executes it."""
    llm = provider.llm(model, **({} if provider is BEDROCK else {"stream": False}))
    return llm.call("hi", tools=TOOLS, available_functions={"search": function})


def tokens_of(emission: Emission, name: str) -> list[Any]:
    return [(s.attributes or {}).get(TOKENS) for s in emission.spans if s.name == name]


def test_a_tool_is_executed_after_the_response(
    provider: Provider, sdk: bool, model: ScriptedModel, emission: Emission, instrument: Instrument
) -> None:
    instrument(sdk=sdk)
    model.script(Response(tool_calls=[ToolCall("search", {"query": "x"}, id="call_1")]), "Done.")
    call(provider, model)
    chat = provider.span
    # CrewAI's class for Bedrock sends the result to the model; the others return it.
    calls = [chat, SEARCH, chat] if provider is BEDROCK else [chat, SEARCH]
    assert emission.tree() == ["model_call", *(f"  {one}" for one in calls)]
    assert tokens_of(emission, chat) == [entry.input_tokens for entry in model.ledger.entries]
    first, tool = emission.spans[:2]
    assert (first.end_time or 0) <= (tool.start_time or 0)
    # Without the SDK's instrumentor nobody sees the id before the tool is executed.
    seen = "call_1" if sdk and provider.seen else None
    assert (tool.attributes or {}).get("gen_ai.tool.call.id") == seen


def test_a_tool_that_fails_is_no_error_of_the_model(
    provider: Provider, sdk: bool, model: ScriptedModel, emission: Emission, instrument: Instrument
) -> None:
    instrument(sdk=sdk)
    model.script(Response(tool_calls=[ToolCall("search", {"query": "x"})]), "Done.")
    call(provider, model, fail)
    chat = provider.span
    assert tokens_of(emission, chat) == [entry.input_tokens for entry in model.ledger.entries]
    failed = {s.name for s in emission.spans if "error.type" in (s.attributes or {})}
    assert failed == {SEARCH}
    assert SECRET not in emission.texts()


def test_the_request_with_the_result_may_be_refused(
    sdk: bool, model: ScriptedModel, emission: Emission, instrument: Instrument
) -> None:
    instrument(sdk=sdk)
    model.script(
        Response(tool_calls=[ToolCall("search", {"query": "x"})]), Failure(403, message=SECRET)
    )
    with pytest.raises(Exception, match=SECRET):
        call(BEDROCK, model)
    chat = BEDROCK.span
    assert tokens_of(emission, chat) == [model.ledger.input_tokens, None]
    errors = [(s.attributes or {}).get("error.type") for s in emission.spans if s.name == chat]
    assert errors == [None, BEDROCK.codes[0] if sdk and BEDROCK.codes else BEDROCK.refusal]
    assert SECRET not in emission.texts()
