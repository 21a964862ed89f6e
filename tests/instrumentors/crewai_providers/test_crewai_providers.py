"""One span per request of CrewAI's own model classes, with no SDK instrumented."""

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


def search(query: str) -> str:
    """Search the web."""
    return f"found {query}"


def run(llm: Any, mode: str) -> Any:
    one = crew(task(agent(llm, "Writer", tools=[tool(search)])))
    return asyncio.run(one.akickoff()) if mode.startswith("async") else one.kickoff()


def attributes_of(emission: Emission, provider: Provider) -> list[dict[str, Any]]:
    """Return the attributes of the model's spans, in the order of their end."""
    return [dict(s.attributes or {}) for s in emission.spans if s.name == provider.span]


def same_as_the_bill(emission: Emission, provider: Provider, model: ScriptedModel) -> None:
    """Compare the spans with the ledger, request by request, and the agents with the sums."""
    spans = attributes_of(emission, provider)
    recorded = [(s["gen_ai.usage.input_tokens"], s["gen_ai.usage.output_tokens"]) for s in spans]
    billed = [entry for entry in model.ledger.entries if entry.input_tokens]
    assert recorded == [(entry.input_tokens, entry.output_tokens) for entry in billed]
    read = [s.get("gen_ai.usage.cache_read.input_tokens", 0) for s in spans]
    assert read == [entry.cached_tokens for entry in billed]
    ids = [s["gen_ai.response.id"] for s in spans]
    assert ids == [entry.response_id for entry in billed]
    agents = [s for s in emission.spans if s.name.startswith("invoke_agent")]
    sums: list[Any] = [(s.attributes or {})["gen_ai.usage.input_tokens"] for s in agents]
    assert sum(sums) == model.ledger.input_tokens


@pytest.mark.usefixtures("crewai_alone")
@pytest.mark.parametrize("mode", MODES)
def test_an_agent_with_a_tool(
    provider: Provider, mode: str, model: ScriptedModel, emission: Emission
) -> None:
    streams = mode.endswith("stream")
    # CrewAI does not read tool calls from a stream of Bedrock.
    calls = [] if streams and provider.name == "aws.bedrock" else [SEARCH]
    responses = [
        Response(tool_calls=[ToolCall("search", {"query": "x"}, id="call_1")]) for _ in calls
    ]
    model.script(*responses, Response("Done."))
    assert run(provider.llm(model, stream=streams), mode).raw == "Done."
    lines = [line for call in calls for line in (provider.span, call)]
    assert emission.tree() == ["invoke_workflow", *run_of("Writer", *lines, provider.span)]
    same_as_the_bill(emission, provider, model)
    for span in attributes_of(emission, provider):
        assert span["gen_ai.provider.name"] == provider.name
        assert (span["server.address"], span["server.port"]) == ("127.0.0.1", model.port)
        assert span.get("gen_ai.request.stream", False) is streams
        assert ("gen_ai.response.time_to_first_chunk" in span) is streams
    tools = [dict(s.attributes or {}) for s in emission.spans if s.name == SEARCH]
    assert [span["gen_ai.tool.call.id"] for span in tools] == ["call_1" for _ in calls]


@pytest.mark.usefixtures("crewai_alone")
def test_a_deployment_of_azure_openai_is_its_own_provider(
    model: ScriptedModel, emission: Emission
) -> None:
    llm = PROVIDERS["azure"].llm(model)
    llm.is_azure_openai_endpoint = True  # as with an Azure host
    assert llm.call("hi") == "Hello from the scripted model."
    (span,) = attributes_of(emission, PROVIDERS["azure"])
    assert span["gen_ai.provider.name"] == "azure.ai.openai"
    assert span["gen_ai.usage.input_tokens"] == model.ledger.input_tokens


@pytest.mark.usefixtures("crewai_alone")
@pytest.mark.parametrize("mode", MODES[::3])
def test_a_refusal_is_an_error_of_the_provider(
    provider: Provider, mode: str, model: ScriptedModel, emission: Emission
) -> None:
    status = 403 if provider.name == "aws.bedrock" else 401
    model.script_by(lambda request: Failure(status, message=SECRET))
    with pytest.raises(Exception, match=SECRET):
        run(provider.llm(model, stream=mode.endswith("stream")), mode)
    spans = attributes_of(emission, provider)
    assert len(spans) == model.ledger.requests > 0
    assert {span["error.type"].split(".")[-1] for span in spans} <= {
        provider.refusal.split(".")[-1],
        "AccessDeniedException",
    }
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("crewai_alone")
@pytest.mark.parametrize("mode", MODES[::3])
@pytest.mark.parametrize(
    "name", ["anthropic", "gemini", "openai"]
)  # Bedrock's client retries itself
def test_a_retry_of_crewai_is_another_request(
    name: str, mode: str, model: ScriptedModel, emission: Emission
) -> None:
    provider = PROVIDERS[name]
    more = {} if name == "gemini" else {"max_retries": 0}
    model.script(Failure(429, message=SECRET), Response("Done."))
    run(provider.llm(model, stream=mode.endswith("stream"), **more), mode)
    first, second = attributes_of(emission, provider)
    limit = {"gemini": "google.genai.errors.ClientError"}
    assert first["error.type"] == limit.get(name, f"{name}.RateLimitError")
    assert "gen_ai.usage.input_tokens" not in first
    assert "error.type" not in second
    assert second["gen_ai.usage.input_tokens"] == model.ledger.input_tokens
    assert model.ledger.requests == 2
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_a_call_that_a_hook_forbids_is_not_sent(
    provider: Provider, model: ScriptedModel, emission: Emission
) -> None:
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


@pytest.mark.usefixtures("instrumented")
def test_a_call_with_two_requests_has_two_spans(model: ScriptedModel, emission: Emission) -> None:
    provider = PROVIDERS["bedrock"]
    model.script(Response(tool_calls=[ToolCall("search", {"query": "x"})]), Response("Done."))
    schema = {"type": "object", "properties": {"query": {"type": "string"}}}
    function = {"name": "search", "description": "Search.", "parameters": schema}
    tools = [{"type": "function", "function": function}]
    output = provider.llm(model).call("hi", tools=tools, available_functions={"search": search})
    assert output == "Done."
    parts = (provider.span, SEARCH, provider.span)
    assert emission.tree() == ["model_call", *(f"  {part}" for part in parts)]
    recorded = [span["gen_ai.usage.input_tokens"] for span in attributes_of(emission, provider)]
    assert recorded == [entry.input_tokens for entry in model.ledger.entries]


def test_content(
    provider: Provider,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    model.script(
        Response(tool_calls=[ToolCall("search", {"query": "x"}, id="call_1")]), Response("Y.")
    )
    run(provider.llm(model), "sync")
    first, second = attributes_of(emission, provider)
    called = '{"type":"tool_call","id":"call_1","name":"search","arguments":{"query":"x"}}'
    message = '[{"role":"assistant","parts":[%s],"finish_reason":"%s"}]'
    output = '{"type":"text","content":"Y."}'
    reasons = [span["gen_ai.response.finish_reasons"][0] for span in (first, second)]
    assert first["gen_ai.output.messages"] == message % (called, reasons[0])
    assert second["gen_ai.output.messages"] == message % (output, reasons[1])
    assert "do it" in first["gen_ai.input.messages"]


@pytest.mark.usefixtures("instrumented")
def test_without_content_nothing_of_it_leaves(
    provider: Provider, model: ScriptedModel, emission: Emission
) -> None:
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
