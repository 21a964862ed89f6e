"""One span per request of CrewAI's own model classes, with the SDK below instrumented and without."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from crew_providers import PROVIDERS, Provider
from crews import agent, crew, crewai, run_of, task, tool

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

SECRET = "planted-secret"
SEARCH = "execute_tool search"
MODES = ["sync", "async", "stream", "async stream"]
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
TOKENS = "gen_ai.usage.input_tokens"

Instrument = Callable[..., None]


def search(query: str) -> str:
    """Search the web."""
    return f"found {query}"


def run(llm: Any, mode: str) -> Any:
    one = crew(task(agent(llm, "Writer", tools=[tool(search)])))
    return asyncio.run(one.akickoff()) if mode.startswith("async") else one.kickoff()


def attributes_of(emission: Emission, name: str) -> list[dict[str, Any]]:
    """Return the attributes of the spans with a name, in the order of their end."""
    return [dict(span.attributes or {}) for span in emission.spans if span.name == name]


@pytest.mark.parametrize("mode", MODES)
def test_an_agent_with_a_tool(
    provider: Provider,
    mode: str,
    sdk: bool,
    model: ScriptedModel,
    emission: Emission,
    instrument: Instrument,
) -> None:
    instrument(sdk=sdk)
    streams, chat = mode.endswith("stream"), provider.span
    # CrewAI does not read tool calls from a stream of Bedrock.
    calls = [] if streams and provider.name == "aws.bedrock" else [SEARCH]
    responses = [
        Response(tool_calls=[ToolCall("search", {"query": "x"}, id="call_1")]) for _ in calls
    ]
    model.script(*responses, Response("Done."))
    assert run(provider.llm(model, stream=streams), mode).raw == "Done."
    lines = [line for call in calls for line in (chat, call)]
    assert emission.tree() == ["invoke_workflow", *run_of("Writer", *lines, chat)]
    spans = attributes_of(emission, chat)
    assert [span.pop(FIRST_CHUNK, None) is not None for span in spans] == [streams] * len(spans)
    assert spans == provider.attributes(model, sdk=sdk, stream=streams)
    (agents,) = attributes_of(emission, "invoke_agent Writer")
    assert agents[TOKENS] == model.ledger.input_tokens
    tools = attributes_of(emission, SEARCH)
    assert [span["gen_ai.tool.call.id"] for span in tools] == ["call_1" for _ in calls]


@pytest.mark.usefixtures("crewai_alone")
def test_a_deployment_of_azure_openai_is_its_own_provider(
    model: ScriptedModel, emission: Emission
) -> None:
    llm = PROVIDERS["azure"].llm(model)
    llm.is_azure_openai_endpoint = True  # as with an Azure host
    assert llm.call("hi") == "Hello from the scripted model."
    (span,) = attributes_of(emission, "chat gpt-4o-mini")
    assert span["gen_ai.provider.name"] == "azure.ai.openai"
    assert span[TOKENS] == model.ledger.input_tokens


def test_a_class_that_delegates_to_another_counts_once(
    sdk: bool, model: ScriptedModel, emission: Emission, instrument: Instrument
) -> None:
    instrument(sdk=sdk)
    llm = PROVIDERS["azure"].llm(model, api="responses")  # OpenAI's class sends them
    assert llm.call("hi") == "Hello from the scripted model."
    (span,) = attributes_of(emission, "chat gpt-4o-mini")
    (entry,) = model.ledger.entries
    assert (span[TOKENS], span["gen_ai.response.id"]) == (entry.input_tokens, entry.response_id)


@pytest.mark.parametrize("mode", MODES[::3])
def test_a_refusal_is_an_error_of_the_provider(
    provider: Provider,
    mode: str,
    sdk: bool,
    model: ScriptedModel,
    emission: Emission,
    instrument: Instrument,
) -> None:
    instrument(sdk=sdk)
    status = 403 if provider.name == "aws.bedrock" else 401
    model.script_by(lambda request: Failure(status, message=SECRET))
    with pytest.raises(Exception, match=SECRET):
        run(provider.llm(model, stream=mode.endswith("stream")), mode)
    spans = attributes_of(emission, provider.span)
    assert len(spans) == model.ledger.requests > 0
    error = provider.codes[0] if sdk and provider.codes else provider.refusal
    assert {span["error.type"] for span in spans} == {error}
    assert SECRET not in emission.texts()


@pytest.mark.parametrize("mode", MODES[::3])
@pytest.mark.parametrize(
    "name", ["anthropic", "gemini", "openai"]
)  # Bedrock's client retries itself
def test_a_retry_of_crewai_is_another_request(
    name: str,
    mode: str,
    sdk: bool,
    model: ScriptedModel,
    emission: Emission,
    instrument: Instrument,
) -> None:
    instrument(sdk=sdk)
    provider = PROVIDERS[name]
    more = {} if name == "gemini" else {"max_retries": 0}
    model.script(Failure(429, message=SECRET), Response("Done."))
    run(provider.llm(model, stream=mode.endswith("stream"), **more), mode)
    first, second = attributes_of(emission, provider.span)
    limit = provider.limit or provider.refusal
    assert first["error.type"] == (provider.codes[1] if sdk and provider.codes else limit)
    assert TOKENS not in first
    assert "error.type" not in second
    assert second[TOKENS] == model.ledger.input_tokens
    assert model.ledger.requests == 2
    assert SECRET not in emission.texts()


def test_a_call_that_a_hook_forbids_is_not_sent(
    provider: Provider,
    sdk: bool,
    model: ScriptedModel,
    emission: Emission,
    instrument: Instrument,
) -> None:
    instrument(sdk=sdk)
    hooks: Any = import_module("crewai.hooks")
    hooks.register_before_llm_call_hook(refuse)
    try:
        with pytest.raises(Exception, match="blocked"):
            provider.llm(model).call("hi")
    finally:
        hooks.unregister_before_llm_call_hook(refuse)
    assert (model.ledger.requests, emission.spans) == (0, ())


def refuse(context: Any) -> bool:
    return False


def test_content(
    provider: Provider,
    sdk: bool,
    model: ScriptedModel,
    emission: Emission,
    instrument: Instrument,
) -> None:
    instrument(sdk=sdk, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    model.script(
        Response(tool_calls=[ToolCall("search", {"query": "x"}, id="call_1")]), Response("Y.")
    )
    run(provider.llm(model), "sync")
    first, second = attributes_of(emission, provider.span)
    called = '{"type":"tool_call","id":"call_1","name":"search","arguments":{"query":"x"}}'
    message = '[{"role":"assistant","parts":[%s],"finish_reason":"%s"}]'
    output = '{"type":"text","content":"Y."}'
    assert first["gen_ai.output.messages"] == message % (called, provider.reasons[0])
    assert second["gen_ai.output.messages"] == message % (output, provider.reasons[1])
    assert "do it" in first["gen_ai.input.messages"]


def test_without_content_nothing_of_it_leaves(
    provider: Provider,
    sdk: bool,
    model: ScriptedModel,
    emission: Emission,
    instrument: Instrument,
) -> None:
    instrument(sdk=sdk)
    model.script(Response(tool_calls=[ToolCall("search", {"query": SECRET})]), Response(SECRET))
    llm = provider.llm(model)
    crew(task(agent(llm, "Writer", tools=[tool(search)]), description=SECRET)).kickoff()
    assert len(emission.spans) == 6
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("name", "provider_name"),
    [("anthropic/claude-sonnet-4-5", "anthropic"), ("openai/gpt-4o-mini", "openai")],
)
def test_by_way_of_litellm(
    name: str, provider_name: str, stream: bool, model: ScriptedModel, emission: Emission
) -> None:
    model.script(
        Response(tool_calls=[ToolCall("search", {"query": "x"}, id="call_1")]), Response("Done.")
    )
    url = model.base_url if provider_name == "anthropic" else model.openai_url
    llm = crewai.LLM(model=name, is_litellm=True, base_url=url, api_key="none", stream=stream)
    assert run(llm, "sync").raw == "Done."
    chat = f"chat {name.partition('/')[2]}"
    assert emission.tree() == ["invoke_workflow", *run_of("Writer", chat, SEARCH, chat)]
    spans = [dict(s.attributes or {}) for s in emission.spans if s.name == chat]
    recorded = [(s["gen_ai.usage.input_tokens"], s["gen_ai.usage.output_tokens"]) for s in spans]
    assert recorded == [(e.input_tokens, e.output_tokens) for e in model.ledger.entries]
    assert [s["gen_ai.provider.name"] for s in spans] == [provider_name] * 2
    (called,) = [dict(s.attributes or {}) for s in emission.spans if s.name == SEARCH]
    assert called["gen_ai.tool.call.id"] == "call_1"
