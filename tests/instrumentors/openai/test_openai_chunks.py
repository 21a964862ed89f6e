"""Chunks of text take a shorter way than others, and are recorded as they are."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from otel_agents.instrumentors import Telemetry
from otel_agents.instrumentors._core.calls.reporting import HIDDEN
from otel_agents.instrumentors._dialects.openai.apis import APIS
from otel_agents.instrumentors._dialects.openai.generation import (
    Generation,
    takes_unrecorded_text,
    text_taker,
)
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
CALL = {"index": 0, "id": "call-1", "type": "function", "function": {"name": "f", "arguments": ""}}


def chunk(*choices: dict[str, Any], **fields: Any) -> dict[str, Any]:
    named = {"id": "id-1", "object": "chat.completion.chunk", "created": 1, "model": "m-1"}
    return {**named, "choices": list(choices), **fields}


def choice(index: int = 0, finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": finish_reason}


WORD = chunk(choice(content="word "))
OTHERS = {
    "role": chunk(choice(role="system", content="text ")),
    "a call beside text": chunk(choice(content="text ", tool_calls=[CALL])),
    "a call": chunk(choice(tool_calls=[CALL])),
    "a refusal": chunk(choice(refusal="no")),
    "reasoning": chunk(choice(reasoning_content="why")),
    "reasoning beside text": chunk(choice(content="text ", reasoning_content="why")),
    "another choice": chunk(choice(1, content="text ")),
    "two choices": chunk(choice(content="text "), choice(1, content="text ")),
    "a reason beside text": chunk(choice(content="text ", finish_reason="length")),
    "usage beside text": chunk(choice(content="text "), usage=USAGE, service_tier="flex"),
    "usage": chunk(usage=USAGE),
    "nothing": chunk(choice()),
    "an error of Groq": chunk(choice(), x_groq={"error": "over_capacity"}),
    "an error of Groq beside no text": chunk(choice(content=""), x_groq={"error": "over"}),
    "usage of Groq": chunk(choice(), x_groq={"usage": USAGE}),
}


def recorded(emission: Emission, content: bool, chunks: list[Any]) -> Any:
    settings = Settings.read({CAPTURE: "SPAN_ONLY"} if content else {})
    telemetry = Telemetry("openai", **emission.providers, settings=settings)
    body: dict[str, Any] = {"model": "m", "messages": [], "stream": True}
    api = APIS["/chat/completions"]
    server = ("api.openai.com", 443)
    call = Generation(telemetry, api, body, "openai", server, provider_is_guess=False)
    for one in chunks:
        assert call.chunk(one) is not HIDDEN
    call.exhausted(None)
    attributes: dict[str, Any] = dict(emission.spans[-1].attributes or {})
    assert attributes.pop("gen_ai.response.time_to_first_chunk") > 0
    return attributes


@pytest.mark.parametrize("content", [True, False], ids=["content", "no content"])
@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("starts", [True, False], ids=["first", "later"])
def test_a_parsed_stream_is_recorded_as_its_raw_chunks_are(
    other: dict[str, Any], starts: bool, content: bool, emission: Emission
) -> None:
    ended = any(one["finish_reason"] for one in other["choices"])
    end = () if ended else (chunk(choice(0, "stop")),)
    raw = [*(() if starts else (WORD, WORD)), other, WORD, WORD, *end]
    parsed = [ChatCompletionChunk.model_validate(one) for one in raw]
    assert recorded(emission, content, parsed) == recorded(emission, content, raw)


class ReportingChunk(ChatCompletionChunk):
    """A chunk of Groq's SDK."""

    x_groq: Any = None


@pytest.mark.parametrize("content", [True, False], ids=["content", "no content"])
def test_what_groq_reports_with_a_text_is_recorded(content: bool, emission: Emission) -> None:
    error = chunk(choice(content="text "), x_groq={"error": "over_capacity"})
    raw = [WORD, WORD, WORD, error, WORD]
    parsed = [ReportingChunk.model_validate(one) for one in raw]
    attributes = recorded(emission, content, parsed)
    assert attributes["error.type"]
    assert attributes == recorded(emission, content, raw)


def test_only_a_parsed_chunk_of_nothing_but_text_takes_the_shorter_way() -> None:
    reports_usage = "usage" in ChatCompletionChunk.model_fields  # from openai 1.26
    taken: list[str] = []
    take = text_taker(taken)
    assert take(ChatCompletionChunk.model_validate(WORD)) is reports_usage
    assert taken == (["word "] if reports_usage else [])
    for other in OTHERS.values():
        assert not take(ChatCompletionChunk.model_validate(other))
    for unparsed in (WORD, None, "data", object()):
        assert not take(unparsed)
    assert len(taken) == reports_usage


def test_without_content_every_delta_takes_the_shorter_way() -> None:
    reports_usage = "usage" in ChatCompletionChunk.model_fields
    for name, one in [*OTHERS.items(), ("word", WORD)]:
        fields: dict[str, Any] = one["choices"][0] if len(one["choices"]) == 1 else {}
        reports = "usage" in one or "x_groq" in one
        is_delta = not reports and not fields.get("index", 1) and not fields["finish_reason"]
        taken = takes_unrecorded_text(ChatCompletionChunk.model_validate(one))
        assert taken is (is_delta and reports_usage), name
    for unparsed in (WORD, None, "data", object()):
        assert not takes_unrecorded_text(unparsed)
