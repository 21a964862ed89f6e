"""Functions that the SDK calls for the model: each request and each function is a span."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from google import genai
from google.genai import types
from google_calls import MODEL, VERSION
from opentelemetry.trace import SpanKind, get_current_span

from otel_agents.instrumentors import InvokeAgent, Telemetry, wrapped
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

INFERENCE = f"generate_content {MODEL}"
TOOL = "execute_tool weather"
SECRET = "planted-secret"
PROMPT = "How is the weather?"


def tool(function: Callable[[str], Any]) -> Any:
    """Name a function of a city; the oldest version reads annotations that are no strings."""
    function.__name__ = "weather"
    function.__annotations__ = {"city": str, "return": str}
    return function


@tool
def weather(city: str) -> str:
    """Return the weather of a city."""
    assert get_current_span().is_recording()
    return f"Sunny in {city}."


def content(client: Any, tool: Any, streams: bool = False) -> Any:
    send = client.models.generate_content_stream if streams else client.models.generate_content
    return send(model=MODEL, contents=PROMPT, config={"tools": [tool]})


def chat(client: Any, tool: Any, streams: bool = False) -> Any:
    conversation = client.chats.create(model=MODEL, config={"tools": [tool]})
    send = conversation.send_message_stream if streams else conversation.send_message
    return send(PROMPT)


def call(*cities: str) -> Response:
    """Return a response that calls the function for each city."""
    calls = [ToolCall("weather", {"city": city}, id=f"of {city}") for city in cities]
    return Response(tool_calls=calls)


each_way = pytest.mark.parametrize("way", [content, chat])


def check(emission: Emission, model: ScriptedModel, *cities: str) -> None:
    """Check all spans after two requests with a call for each city in between.

    They are one trace without any other span: the first request is its root. The SDK calls
    functions before a stream is at its end, and outside of its span.
    """
    spans = sorted(emission.spans, key=lambda span: span.start_time or 0)
    assert [span.name for span in spans] == [INFERENCE, *[TOOL] * len(cities), INFERENCE]
    assert emission.tree() == [INFERENCE, *[f"  {TOOL}"] * len(cities), f"  {INFERENCE}"]
    assert emission.traces() == 1
    for span, city in zip(spans[1:-1], cities, strict=True):
        assert span.kind is SpanKind.INTERNAL
        assert dict(span.attributes or {}) == {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "weather",
            "gen_ai.tool.type": "function",
            "gen_ai.tool.description": "Return the weather of a city.",
            "gen_ai.tool.call.id": f"of {city}",
            "gen_ai.tool.call.arguments": json.dumps({"city": city}, separators=(",", ":")),
            "gen_ai.tool.call.result": json.dumps(
                {"result": f"Sunny in {city}."}, separators=(",", ":")
            ),
        }
    requests = [dict(spans[n].attributes or {}) for n in (0, -1)]
    billed = [request["gen_ai.usage.input_tokens"] for request in requests]
    assert billed == [entry.input_tokens for entry in model.ledger.entries]
    assert [len(json.loads(str(it["gen_ai.input.messages"]))) for it in requests] == [1, 3]


@each_way
@pytest.mark.usefixtures("with_content")
def test_each_request_and_each_function_is_a_span(
    way: Callable[..., Any], client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    model.script(call("Bern", "Rome"), "Sunny.")
    assert way(client, weather).text == "Sunny."
    check(emission, model, "Bern", "Rome")


@pytest.mark.skipif(VERSION < (1, 11), reason="calls no coroutine functions")
@each_way
@pytest.mark.usefixtures("with_content")
def test_async(
    way: Callable[..., Any], run: Callable[..., Any], model: ScriptedModel, emission: Emission
) -> None:
    @tool
    async def asynchronous(city: str) -> str:
        """Return the weather of a city."""
        return weather(city)

    model.script(call("Bern", "Rome"), "Sunny.")
    response = run(partial(way, tool=asynchronous))
    assert response.text == "Sunny."
    check(emission, model, "Bern", "Rome")


@each_way
@pytest.mark.usefixtures("with_content")
def test_a_function_in_a_thread_of_the_event_loop(
    way: Callable[..., Any], run: Callable[..., Any], model: ScriptedModel, emission: Emission
) -> None:
    model.script(call("Bern", "Rome"), "Sunny.")
    assert run(partial(way, tool=weather)).text == "Sunny."
    check(emission, model, "Bern", "Rome")


@pytest.mark.skipif(VERSION < (2, 0), reason="calls the functions of a stream twice")
@each_way
@pytest.mark.usefixtures("with_content")
def test_streamed(
    way: Callable[..., Any], client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    model.script(call("Bern"), "Sunny.")
    chunks = list(way(client, weather, streams=True))
    assert "".join(chunk.text or "" for chunk in chunks) == "Sunny."
    check(emission, model, "Bern")


@pytest.mark.skipif(VERSION < (2, 0), reason="calls the functions of a stream twice")
@each_way
@pytest.mark.usefixtures("with_content")
def test_streamed_async(
    way: Callable[..., Any], run: Callable[..., Any], model: ScriptedModel, emission: Emission
) -> None:
    async def use(client: Any) -> str:
        stream = await way(client, weather, streams=True)
        return "".join([chunk.text or "" async for chunk in stream])

    model.script(call("Bern"), "Sunny.")
    assert run(use) == "Sunny."
    check(emission, model, "Bern")


@pytest.mark.usefixtures("with_content")
def test_all_of_it_is_one_trace_of_the_caller(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    model.script(call("Bern"), "Sunny.")
    with emission.tracer_provider.get_tracer("test").start_as_current_span("run"):
        content(client, weather)
    assert emission.tree() == ["run", f"  {INFERENCE}", f"  {TOOL}", f"  {INFERENCE}"]


@pytest.mark.skipif(VERSION < (2, 0), reason="calls the functions of a stream twice")
@each_way
@pytest.mark.usefixtures("instrumented")
def test_a_stream_belongs_to_the_span_in_which_it_is_read(
    way: Callable[..., Any], client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    model.script(call("Bern"), "Sunny.")
    stream = way(client, weather, streams=True)
    with emission.tracer_provider.get_tracer("test").start_as_current_span("run"):
        list(stream)
    assert emission.tree() == ["run", f"  {INFERENCE}", f"  {TOOL}", f"  {INFERENCE}"]


@each_way
@pytest.mark.usefixtures("instrumented")
def test_each_call_is_a_trace_of_its_own(
    way: Callable[..., Any], client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    for _ in range(2):
        model.script(call("Bern"), "Sunny.")
        way(client, weather)
    assert emission.tree() == [INFERENCE, f"  {TOOL}", f"  {INFERENCE}"] * 2
    assert emission.traces() == 2


@pytest.mark.usefixtures("instrumented")
def test_an_agent_has_the_sums_of_all_requests(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    telemetry = Telemetry("test", **emission.providers)
    run = wrapped(content, telemetry, lambda telemetry, _: InvokeAgent(telemetry, "guide"))
    model.script(call("Bern"), "Sunny.")
    run(client, weather)
    agent = "invoke_agent guide"
    assert emission.tree() == [agent, f"  {INFERENCE}", f"  {TOOL}", f"  {INFERENCE}"]
    (span,) = (span for span in emission.spans if span.name == agent)
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "guide",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": model.ledger.input_tokens,
        "gen_ai.usage.output_tokens": model.ledger.output_tokens,
    }


@each_way
@pytest.mark.usefixtures("instrumented")
def test_a_function_that_fails_has_its_own_error_and_the_model_gets_it(
    way: Callable[..., Any], client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    @tool
    def failing(city: str) -> str:
        """Return the weather of a city."""
        raise LookupError(SECRET)

    model.script(call("Bern"), "Sorry.")
    assert way(client, failing).text == "Sorry."
    assert emission.names == [INFERENCE, TOOL, INFERENCE]
    assert (emission.spans[1].attributes or {})["error.type"] == "LookupError"
    ((_, exception),) = emission.events
    assert exception["exception.type"] == "LookupError"
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_a_model_that_a_function_calls_is_a_span_below_it(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    @tool
    def recursive(city: str) -> str:
        """Return the weather of a city."""
        return str(client.models.generate_content(model="other", contents=city).text)

    model.script(call("Bern"), "Inner.", "Sunny.")
    content(client, recursive)
    tree = [INFERENCE, f"  {TOOL}", "    generate_content other", f"  {INFERENCE}"]
    assert emission.tree() == tree
    spent = [(span.attributes or {}).get("gen_ai.usage.input_tokens", 0) for span in emission.spans]
    assert sum(map(int, map(str, spent))) == model.ledger.input_tokens


@pytest.mark.skipif(VERSION < (2, 30), reason="continues no responses")
@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.usefixtures("instrumented")
def test_each_request_of_a_response_that_is_continued_is_a_span(
    streams: bool, client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    token: Any = [{"continuationToken": "bmV4dA=="}]
    model.script(Response("one ", items=token, finish_reason="CONTINUATION"), "two")
    if streams:
        chunks = list(client.models.generate_content_stream(model=MODEL, contents=PROMPT))
        text = "".join(chunk.text or "" for chunk in chunks)
    else:
        text = str(client.models.generate_content(model=MODEL, contents=PROMPT).text)
    assert text == "one two"
    spans = [dict(span.attributes or {}) for span in emission.spans]
    reasons = [span["gen_ai.response.finish_reasons"] for span in spans]
    assert reasons == [("continuation",), ("stop",)]
    tokens = [span["gen_ai.usage.output_tokens"] for span in spans]
    assert tokens == [entry.output_tokens for entry in model.ledger.entries]
    assert emission.tree() == [INFERENCE, f"  {INFERENCE}"]


class Session:
    """A session with an MCP server that has one tool."""

    def __init__(self, is_error: bool) -> None:
        self._is_error = is_error

    async def call_tool(self, name: str, arguments: dict[str, Any]) -> Any:
        assert (name, arguments) == ("weather", {"city": "Bern"})
        return SimpleNamespace(isError=self._is_error, content=SECRET)


@pytest.mark.skipif(VERSION < (1, 17), reason="calls no tools of MCP servers")
@pytest.mark.parametrize("is_error", [False, True])
@pytest.mark.usefixtures("instrumented")
def test_a_tool_of_an_mcp_server(is_error: bool, emission: Emission) -> None:
    """By the SDK's own adapter, as a chat calls it, without the package for such sessions."""
    from google.genai import _adapters, _extra_utils

    adapters: Any = _adapters
    adapter = adapters.McpToGenAiToolAdapter(Session(is_error), SimpleNamespace(tools=[]))
    function_call = types.FunctionCall(id="1", name="weather", args={"city": "Bern"})
    content = types.Content(parts=[types.Part(function_call=function_call)])
    response = types.GenerateContentResponse(candidates=[types.Candidate(content=content)])
    functions: Any = _extra_utils
    asyncio.run(functions.get_function_response_parts_async(response, {"weather": adapter}))
    assert dict(emission.span.attributes or {}) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "1",
        **({"error.type": "tool_error"} if is_error else {}),
    }
    assert SECRET not in emission.texts()
