"""Legacy completions: `POST /completions`, whole and streamed."""

from __future__ import annotations

from otel_agents.testing.scripted_model.chunks import chunks
from otel_agents.testing.scripted_model.dialect import (
    Exchange,
    Frame,
    ParsedRequest,
    Reply,
    body_reply,
    sse,
    stream_reply,
)
from otel_agents.testing.scripted_model.openai.shapes import completion_usage, model_name
from otel_agents.testing.scripted_model.values import Json, json_list, json_object, texts, whole


def read(body: Json) -> ParsedRequest:
    """Parse a request; it gets `n` choices for each prompt."""
    prompt = body.get("prompt")
    listed = json_list(prompt)
    prompts = 1 if not listed or isinstance(listed[0], int) else len(listed)
    return ParsedRequest(prompt="\n".join(texts(prompt)), choices=prompts * whole(body.get("n"), 1))


def write(exchange: Exchange) -> Reply:
    """Return a completion, or its chunks."""
    scripted, request = exchange.response, exchange.request
    response_id = scripted.id or exchange.numbers.id("cmpl-")
    head: Json = {
        "id": response_id,
        "object": "text_completion",
        "created": exchange.created,
        "model": model_name(exchange),
        "system_fingerprint": scripted.system_fingerprint,
        **scripted.extra,
    }
    usage = exchange.usage if scripted.include_usage else None
    reported = {"usage": completion_usage(usage)} if usage else {}
    finish = scripted.finish_reason or "stop"
    choices = range(scripted.choices or request.choices)
    if not request.stream:
        listed = [_choice(index, scripted.content or "", finish) for index in choices]
        payload = {**head, "choices": listed, **reported}
        return body_reply(exchange, payload, usage, response_id)
    reports_usage = json_object(request.body.get("stream_options")).get("include_usage") is True
    frames: list[Frame] = []
    for index in choices:
        unfinished = [_choice(index, chunk, None) for chunk in chunks(scripted.content or "")]
        frames += [
            sse({**head, "choices": [it]}) for it in (*unfinished, _choice(index, "", finish))
        ]
    if reports_usage and usage:
        last: Json = {**head, "choices": [], **reported}
        frames.append(sse(last, has_usage=True))
    frames.append(Frame(b"data: [DONE]\n\n"))
    return stream_reply(exchange, frames, usage if reports_usage else None, response_id)


def _choice(index: int, text: str, finish_reason: str | None) -> Json:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": finish_reason}
