"""The spans that LiteLLM itself reports, and what it adds to an SDK's."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable
from typing import Any

import pytest
from litellm_calls import MESSAGES, VERSION, litellm, route
from opentelemetry.trace import SpanKind, StatusCode

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall, Usage

CLAUDE = "anthropic/claude-3-haiku-20240307"
SECRET = "planted-secret"
UNSTEADY = (
    "gen_ai.usage.text.input_tokens",
    "gen_ai.usage.text.output_tokens",
    "otel_agents.cost",
    "otel_agents.cost.source",
)
"""What only some versions of LiteLLM know about that model."""
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": SECRET,
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def expected(model: ScriptedModel, **changes: Any) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-3-haiku-20240307",
        "server.address": "127.0.0.1",
        "server.port": model.port,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.response.id": "msg_1",
        "gen_ai.response.model": "claude-3-haiku-20240307",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 200,
        "gen_ai.usage.cache_read.input_tokens": 400,
        **changes,
    }


def send(model: ScriptedModel, **more: Any) -> Any:
    arguments = {"messages": MESSAGES, "temperature": 0.5, "max_tokens": 100, **more}
    return litellm.completion(**arguments, **route(CLAUDE, model))


@pytest.mark.usefixtures("instrumented")
def test_a_chat_over_its_own_http(model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("Hi.", id="msg_1", usage=Usage(1000, 200, cached_tokens=400)))
    send(model)
    span = emission.span
    assert (span.name, span.kind) == ("chat claude-3-haiku-20240307", SpanKind.CLIENT)
    assert (span.status.status_code, span.events, span.links) == (StatusCode.UNSET, (), ())
    attributes = dict(span.attributes or {})
    assert {k: v for k, v in attributes.items() if k not in UNSTEADY} == expected(model)


@pytest.mark.usefixtures("instrumented")
def test_a_streamed_chat_over_its_own_http(model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("one two", id="msg_1", usage=Usage(1000, 200, cached_tokens=400)))
    stream = send(model, stream=True)
    assert isinstance(stream, litellm.CustomStreamWrapper)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "one two"
    attributes: dict[str, Any] = dict(emission.span.attributes or {})
    assert 0 < attributes.pop("gen_ai.response.time_to_first_chunk") < 60
    recorded = {k: v for k, v in attributes.items() if k not in UNSTEADY}
    assert recorded == expected(model, **{"gen_ai.request.stream": True})


@pytest.mark.skipif(VERSION < (1, 110), reason="earlier versions cannot")
@pytest.mark.usefixtures("instrumented")
def test_a_sync_stream_may_be_read_in_an_event_loop(
    model: ScriptedModel, emission: Emission, run: Callable[..., Any]
) -> None:
    """LiteLLM allows it for the SDK's streams, not for those of its own HTTP client."""

    async def read() -> list[Any]:
        options: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
        stream = litellm.completion(messages=MESSAGES, **options, **route("gpt-4o-mini", model))
        return [chunk async for chunk in stream]

    assert run(read) != []
    attributes = emission.span.attributes or {}
    assert "otel_agents.stream.abandoned" not in attributes
    assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens


@pytest.mark.usefixtures("instrumented")
def test_the_cost_is_on_the_span_that_reports_the_call(
    model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("Hi.", usage=Usage(1000, 200)))
    chat = litellm.completion(messages=MESSAGES, **route("gpt-4o-mini", model))
    embedding = litellm.embedding(input=["a"], **route("text-embedding-3-small", model))
    known: list[Any] = [one._hidden_params["response_cost"] for one in (chat, embedding)]
    costs = [(span.attributes or {})["otel_agents.cost"] for span in emission.spans]
    assert costs == pytest.approx(known)
    assert min(known) > 0


@pytest.mark.usefixtures("instrumented")
def test_prices_of_the_application_are_used(model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("Hi.", usage=Usage(1000, 200)))
    prices = {"input_cost_per_token": 0.5, "output_cost_per_token": 1.0}
    litellm.completion(messages=MESSAGES, **prices, **route("gpt-4o-mini", model))
    assert (emission.span.attributes or {})["otel_agents.cost"] == 700.0


@pytest.mark.usefixtures("instrumented")
def test_http_spans_are_children_of_its_span(
    model: ScriptedModel, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpx: Any = importlib.import_module("httpx")
    tracer = emission.tracer_provider.get_tracer("http")
    original = httpx.Client.send

    def traced(self: Any, request: Any, **more: Any) -> Any:
        span = tracer.start_span(request.method)
        try:
            return original(self, request, **more)
        finally:
            span.end()

    monkeypatch.setattr(httpx.Client, "send", traced)
    monkeypatch.setattr("otel_agents.testing.plugin.findings_of", lambda emission: [])  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]  of any emission
    send(model)
    assert emission.tree() == ["chat claude-3-haiku-20240307", "  POST"]


@pytest.mark.parametrize("name", [CLAUDE, "gpt-4o-mini"])
@pytest.mark.usefixtures("instrumented")
def test_a_refusal_is_one_span_with_its_error(
    name: str, model: ScriptedModel, emission: Emission, run: Callable[..., Any]
) -> None:
    model.script(*[Failure(429, message=SECRET, kind="rate_limit_error")] * 2)
    with pytest.raises(litellm.RateLimitError):
        litellm.completion(messages=MESSAGES, **route(name, model))
    with pytest.raises(litellm.RateLimitError):
        run(lambda: litellm.acompletion(messages=MESSAGES, **route(name, model)))
    kinds = [(span.attributes or {})["error.type"] for span in emission.spans]
    assert all(str(kind).endswith(".RateLimitError") for kind in kinds)
    assert len(emission.spans) == model.ledger.requests == 2
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_is_left_is_abandoned_if_its_request_was_sent(
    model: ScriptedModel, emission: Emission
) -> None:
    stream = send(model, stream=True)
    next(stream)
    del stream
    # LiteLLM's streams are in reference cycles. One that is collected while the next request has the
    # lock of the connections would wait for it for ever: https://github.com/encode/httpcore/issues/996
    gc.collect()
    unread = send(model, stream=True)
    del unread
    gc.collect()
    finalization.drain(5)
    abandoned = [(s.attributes or {})["otel_agents.stream.abandoned"] for s in emission.spans]
    assert abandoned == [True] * model.ledger.requests


def test_a_name_bound_before_instrumenting_is_recorded(
    model: ScriptedModel, emission: Emission, instrument: Callable[..., None]
) -> None:
    completion = before = litellm.completion
    instrument()
    assert litellm.completion is before
    completion(messages=MESSAGES, **route(CLAUDE, model))
    completion(messages=MESSAGES, **route("gpt-4o-mini", model))
    assert len(emission.spans) == 2
    LiteLLMInstrumentor().uninstrument()
    completion(messages=MESSAGES, **route(CLAUDE, model))
    assert len(emission.spans) == 2


def test_content_is_recorded_if_enabled(
    model: ScriptedModel, emission: Emission, instrument: Callable[..., None]
) -> None:
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"}, id="toolu_1")]))
    send(model, tools=[TOOL])
    model.script(Response("Sunny."))
    list(send(model, stream=True))
    first, second = (dict(span.attributes or {}) for span in emission.spans)
    sent = '[{"role":"user","parts":[{"type":"text","content":"Where is the Eiffel Tower?"}]}]'
    assert first["gen_ai.input.messages"] == second["gen_ai.input.messages"] == sent
    assert first["gen_ai.tool.definitions"] == '[{"type":"function","name":"weather"}]'
    assert '"name":"weather","arguments":{"city":"Bern"}' in str(first["gen_ai.output.messages"])
    assert '"content":"Sunny."' in str(second["gen_ai.output.messages"])


@pytest.mark.usefixtures("instrumented")
def test_content_is_nowhere_by_default(model: ScriptedModel, emission: Emission) -> None:
    model.script(Response(SECRET), Response(SECRET))
    messages = [{"role": "user", "content": SECRET}]
    send(model, messages=messages, tools=[TOOL], metadata={"note": SECRET})
    list(send(model, messages=messages, stream=True))
    assert len(emission.spans) == 2
    assert SECRET not in emission.texts()


def test_trace_headers_go_to_the_named_hosts(
    model: ScriptedModel, emission: Emission, instrument: Callable[..., None]
) -> None:
    instrument(OTEL_AGENTS_PROPAGATE_HEADERS="127.*")
    send(model)
    (entry,) = model.ledger.entries
    context = emission.span.context
    assert context is not None
    assert f"{context.trace_id:032x}-{context.span_id:016x}" in entry.headers["traceparent"]
