"""Whole spans, metrics and events."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar

import anthropic
import pytest
from anthropic_calls import MESSAGES, VERSION
from span_laws import SpanLaws, check_streamed

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall, Usage

httpx: Any = import_module("httpx2" if find_spec("httpx2") else "httpx")

OLD: dict[str, Any] = {"temperature": 0, "top_p": 0.5, "top_k": 3}
"""No arguments of the method any more, but still in the API (2.x: by ``extra_body``)."""
REQUEST: dict[str, Any] = {
    "model": "claude-4",
    "messages": MESSAGES,
    "max_tokens": 100,
    "stop_sequences": ["END"],
    "extra_body": {
        **OLD,
        "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {}}},
        "thinking": {"type": "enabled", "budget_tokens": 50},
    },
}
SCRIPTED = Response(
    "{}",
    id="msg_1",
    model="claude-4-20260101",
    usage=Usage(100, 20, cached_tokens=30, cache_write_tokens=5, reasoning_tokens=7),
)


class TestSpans(SpanLaws):
    """The laws for messages."""

    request = REQUEST
    scripted = SCRIPTED
    attributes: ClassVar[dict[str, Any]] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-4",
        "server.address": "127.0.0.1",
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.top_p": 0.5,
        "gen_ai.request.top_k": 3,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.request.reasoning.level": "high",
        "gen_ai.output.type": "json",
        "gen_ai.response.id": "msg_1",
        "gen_ai.response.model": "claude-4-20260101",
        "gen_ai.response.finish_reasons": ("end_turn",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 30,
        "gen_ai.usage.cache_write.input_tokens": 5,
        "gen_ai.usage.reasoning.output_tokens": 7,
    }
    usage = SCRIPTED.usage
    details: ClassVar[dict[str, int]] = {
        "cache_read.input_tokens": 30,
        "cache_write.input_tokens": 5,
        "reasoning.output_tokens": 7,
    }


def read_by_helper(client: anthropic.Anthropic, run: Any, **arguments: Any) -> None:
    with client.messages.stream(**arguments) as events:
        events.until_done()


def read_by_async_helper(client: anthropic.Anthropic, run: Any, **arguments: Any) -> None:
    async def use(client: Any) -> None:
        async with client.messages.stream(**arguments) as events:
            await events.until_done()

    run(use)


@pytest.mark.parametrize("send", [read_by_helper, read_by_async_helper])
@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_is_read_by_a_helper(
    send: Callable[..., None],
    client: anthropic.Anthropic,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(SCRIPTED)
    send(client, run, **REQUEST)
    sent = {"gen_ai.request.stream": True, "server.port": model.port}
    check_streamed(emission, {**TestSpans.attributes, **sent})


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.usefixtures("instrumented")
def test_tool_calls_keep_the_providers_finish_reason(
    stream: bool, client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(tool_calls=[ToolCall("weather")]))
    response: Any = client.messages.create(
        model="claude-4", max_tokens=9, messages=MESSAGES, stream=stream
    )
    if stream:
        list(response)
    reasons = (emission.span.attributes or {})["gen_ai.response.finish_reasons"]
    assert reasons == ("tool_use",)


@pytest.mark.usefixtures("instrumented")
def test_what_is_no_inference_has_no_span(client: anthropic.Anthropic, emission: Emission) -> None:
    for path in ("/v1/messages/batches", "/v1/messages/count_tokens"):
        with pytest.raises(anthropic.NotFoundError):
            client.post(path, cast_to=object, body={})
    with pytest.raises(anthropic.NotFoundError):
        client.get("/v1/messages", cast_to=object)
    assert emission.spans == ()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.usefixtures("with_content")
def test_a_legacy_completion(
    stream: bool, client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    """Version 2 has no method for it any more; the API has it still."""
    model.script(Response("Paris is here.", id="compl_1"))
    body = {"model": "claude-2", "prompt": "Where?", "max_tokens_to_sample": 9, "stream": stream}
    kind: Any = anthropic.Stream[object]
    sent: Any = client.post(
        "/v1/complete", cast_to=object, body=body, stream=stream, stream_cls=kind
    )
    if stream:
        list(sent)
    span = emission.span
    attributes = dict(span.attributes or {})
    assert span.name == "text_completion claude-2"
    assert (attributes.pop("gen_ai.response.time_to_first_chunk", 0.0) != 0.0) is stream
    assert attributes == {
        "gen_ai.operation.name": "text_completion",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-2",
        "gen_ai.request.max_tokens": 9,
        **({"gen_ai.request.stream": True} if stream else {}),
        "gen_ai.response.id": "compl_1",
        "gen_ai.response.model": "claude-2",
        "gen_ai.response.finish_reasons": ("stop_sequence",),
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Where?"}]}]',
        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text",'
        '"content":"Paris is here."}],"finish_reason":"stop_sequence"}]',
        "server.address": "127.0.0.1",
        "server.port": model.port,
    }


if VERSION >= (1, 0):
    from pydantic import BaseModel

    class City(BaseModel):
        city: str

    @pytest.mark.usefixtures("instrumented")
    def test_parse_is_one_span(
        client: anthropic.Anthropic, run: Any, model: ScriptedModel, emission: Emission
    ) -> None:
        request: Any = {"model": "m", "messages": MESSAGES, "max_tokens": 9, "output_format": City}
        assert client.messages.parse(**request).parsed_output == City(city="example")
        client.beta.messages.parse(**request)

        async def use(client: Any) -> None:
            await client.messages.parse(**request)
            async with client.messages.stream(**request) as events:
                await events.until_done()

        run(use)
        assert emission.names == ["chat m"] * 4
        requested = [(span.attributes or {})["gen_ai.output.type"] for span in emission.spans]
        assert requested == ["json"] * 4

    @pytest.mark.usefixtures("instrumented")
    def test_a_response_that_cannot_be_parsed_has_its_tokens(
        client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
    ) -> None:
        model.script(Response('{"city": "Pa', finish_reason="length"))
        with pytest.raises(ValueError, match="EOF"):
            client.messages.parse(model="m", messages=MESSAGES, max_tokens=9, output_format=City)
        attributes = dict(emission.span.attributes or {})
        assert attributes["error.type"] == "pydantic_core._pydantic_core.ValidationError"
        assert attributes["gen_ai.response.finish_reasons"] == ("max_tokens",)
        assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens > 0

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.usefixtures("instrumented")
    def test_a_compaction_is_billed_and_marks_the_conversation(
        stream: bool, client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
    ) -> None:
        """The totals leave out the tokens of the compaction itself, and of an advisor."""
        separate = {
            "input_tokens": 50,
            "cache_read_input_tokens": 3,
            "cache_creation_input_tokens": 2,
            "output_tokens": 4,
        }
        iterations = [
            {"type": "message", "input_tokens": 10, "output_tokens": 5},
            {"type": "compaction", **separate},
            {"type": "advisor_message", "model": "claude-5", **separate},
        ]
        usage = {"input_tokens": 10, "output_tokens": 5, "iterations": iterations}
        block = {"type": "compaction", "content": "A summary."}
        model.script(Response("Paris.", items=[block], extra={"usage": usage}))
        sent: Any = client.beta.messages.create(
            model="m", messages=MESSAGES, max_tokens=9, stream=stream
        )
        if stream:
            list(sent)
        attributes = dict(emission.span.attributes or {})
        assert attributes.get("gen_ai.usage.input_tokens") == 10 + 2 * 55
        assert attributes.get("gen_ai.usage.output_tokens") == 5 + 2 * 4
        assert attributes.get("gen_ai.usage.cache_read.input_tokens") == 6
        assert attributes.get("gen_ai.usage.cache_write.input_tokens") == 4
        assert attributes.get("gen_ai.conversation.compacted", False) is not stream


if VERSION >= (2, 14):

    @pytest.mark.usefixtures("instrumented")
    def test_a_thread_refers_to_its_previous_response(
        client: anthropic.Anthropic, run: Any, model: ScriptedModel, emission: Emission
    ) -> None:
        model.script(Response("One.", id="msg_1"), Response("Two.", id="msg_2"))
        thread = client.beta.messages.thread(model="m", max_tokens=9)
        thread.send(MESSAGES[0])
        with thread.stream(MESSAGES[0]) as events:
            events.until_done()
        first, second = (dict(span.attributes or {}) for span in emission.spans)
        assert "gen_ai.request.previous_response.id" not in first
        assert second["gen_ai.request.previous_response.id"] == "msg_1"
        assert second["gen_ai.response.id"] == "msg_2"
        assert model.ledger.entries[1].body["thread"]["previous_message_id"] == "msg_1"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.usefixtures("instrumented")
def test_a_request_for_the_response_of_the_http_client(
    stream: bool, client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    body = {"model": "m", "max_tokens": 9, "messages": MESSAGES, "stream": stream}
    response: Any = client.post(
        "/v1/messages",
        cast_to=httpx.Response,
        body=body,
        stream=stream,
        stream_cls=anthropic.Stream[object],
    )
    assert type(response) is httpx.Response
    assert str(model.ledger.entries[0].response_id) in "".join(response.iter_lines())
    attributes = dict(emission.span.attributes or {})
    assert attributes["gen_ai.response.id"] == model.ledger.entries[0].response_id
    assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens > 0
    assert attributes["gen_ai.usage.output_tokens"] == model.ledger.output_tokens > 0


@pytest.mark.parametrize("kind", [str, bytes])
@pytest.mark.usefixtures("instrumented")
def test_a_response_that_the_caller_takes_as_text_has_its_usage(
    kind: type[str | bytes], client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    body = {"model": "m", "max_tokens": 9, "messages": MESSAGES}
    response: Any = client.post("/v1/messages", body=body, cast_to=kind)
    attributes = dict(emission.span.attributes or {})
    assert type(response) is kind
    assert json.loads(response)["id"] == attributes["gen_ai.response.id"]
    assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens > 0
