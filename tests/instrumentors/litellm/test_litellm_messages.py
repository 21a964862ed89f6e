"""Anthropic's Messages API through LiteLLM: over its HTTP, its Rust core, and an SDK."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from litellm_calls import litellm, route
from rust_core import served_by_rust

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall, Usage

CLAUDE = "anthropic/claude-3-haiku-20240307"
SECRET = "planted-secret"
REQUEST: dict[str, Any] = {
    "max_tokens": 100,
    "system": f"be kind {SECRET}",
    "messages": [
        {"role": "user", "content": SECRET},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Bern"}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "sun"}],
        },
    ],
    "tools": [
        {
            "name": "weather",
            "description": SECRET,
            "input_schema": {"type": "object", "properties": {}},
        }
    ],
}
SCRIPTED = Response(
    "one two",
    id="msg_1",
    usage=Usage(1000, 200, cached_tokens=400),
    tool_calls=(ToolCall("weather", {"city": "Basel"}),),
)
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


async def send(model: ScriptedModel, name: str = CLAUDE, **more: Any) -> Any:
    response = await litellm.messages.anthropic_messages(**REQUEST, **route(name, model), **more)
    return [chunk async for chunk in response] if more.get("stream") else response


def expected(model: ScriptedModel, **changes: Any) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-3-haiku-20240307",
        "server.address": "127.0.0.1",
        "server.port": model.port,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.response.id": "msg_1",
        "gen_ai.response.model": "claude-3-haiku-20240307",
        "gen_ai.response.finish_reasons": ("tool_use",),
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 200,
        "gen_ai.usage.cache_read.input_tokens": 400,
        **changes,
    }


@pytest.fixture(params=["its HTTP", "its Rust core"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Choose the route of requests; the result checks that they took it."""
    native = request.param == "its Rust core"
    served = served_by_rust(monkeypatch, "MESSAGES") if native else []

    def check() -> None:
        assert bool(served) == native

    return check


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_one_span_has_the_billed_tokens(
    way: Callable[[], None],
    stream: bool,
    model: ScriptedModel,
    emission: Emission,
    run: Callable[..., Any],
) -> None:
    model.script(SCRIPTED)
    run(lambda: send(model, stream=stream))
    attributes: dict[str, Any] = dict(emission.span.attributes or {})
    if stream:
        assert 0 < attributes.pop("gen_ai.response.time_to_first_chunk") < 60
    changes = {"gen_ai.request.stream": True} if stream else {}
    assert attributes == expected(model, **changes)
    assert model.ledger.requests == 1
    way()
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_content_is_in_the_conventions_parts(
    stream: bool,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
    run: Callable[..., Any],
) -> None:
    instrument(**{CAPTURE: "SPAN_ONLY"})
    model.script(SCRIPTED)
    run(lambda: send(model, stream=stream))
    attributes: dict[str, Any] = dict(emission.span.attributes or {})
    output = json.loads(attributes["gen_ai.output.messages"])
    assert output[0]["parts"][1].pop("id").startswith("toolu_")
    called = {"type": "tool_call", "name": "weather"}
    assert output == [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "one two"},
                {**called, "arguments": {"city": "Basel"}},
            ],
            "finish_reason": "tool_use",
        }
    ]
    assert json.loads(attributes["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": SECRET}]},
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "I look."},
                {**called, "id": "t1", "arguments": {"city": "Bern"}},
            ],
        },
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "t1", "response": "sun"}],
        },
    ]
    assert json.loads(attributes["gen_ai.system_instructions"]) == [
        {"type": "text", "content": f"be kind {SECRET}"}
    ]
    assert json.loads(attributes["gen_ai.tool.definitions"]) == [
        {"type": "function", "name": "weather"}
    ]


@pytest.mark.usefixtures("instrumented", "way")
def test_a_refusal_is_one_span_with_its_error(
    model: ScriptedModel, emission: Emission, run: Callable[..., Any]
) -> None:
    model.script(Failure(429))
    with pytest.raises(litellm.RateLimitError):
        run(lambda: send(model))
    assert (emission.span.attributes or {})["error.type"] == "litellm.exceptions.RateLimitError"


@pytest.mark.usefixtures("instrumented")
def test_a_model_of_another_provider_is_one_span(
    model: ScriptedModel, emission: Emission, run: Callable[..., Any]
) -> None:
    run(lambda: send(model, "openai/gpt-4o-mini"))
    (entry,) = model.ledger.entries
    attributes = emission.span.attributes or {}
    assert attributes["gen_ai.provider.name"] == "openai"
    assert attributes["gen_ai.usage.input_tokens"] == entry.input_tokens
    assert attributes["gen_ai.usage.output_tokens"] == entry.output_tokens
