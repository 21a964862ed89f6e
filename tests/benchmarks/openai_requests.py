"""Requests of the OpenAI SDK, with responses made beforehand, and how a person would record them."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import nullcontext
from importlib import import_module
from typing import Any, Final

import openai
from handwritten import Attributes, Call, messages_json, parts, text_of
from openai.types.chat import ChatCompletionChunk
from opentelemetry.trace import Span, SpanKind, Tracer, use_span

__all__ = [
    "async_chat",
    "chat",
    "completion",
    "embedding",
    "messages_of",
    "response",
    "stream_read",
    "streamed_by_hand",
]

_CHUNKS: Final[dict[Any, list[Any]]] = {}
"""Those of each client."""
MODEL: Final = "gpt-4o-mini"
_NAMED: Final = {"id": "chatcmpl-1", "created": 1, "model": "gpt-4o-mini-2024"}
_SERVED: Final = {"service_tier": "default", "system_fingerprint": "fp"}
_HOST: Final = {"server.address": "127.0.0.1", "server.port": 1}


_HTTP: Final[Any] = import_module("httpx2" if openai.__version__ >= "3" else "httpx")


def transport(body: dict[str, Any] | bytes) -> Any:
    """Return what replaces the network: every response has this body."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "text/event-stream" if isinstance(body, bytes) else "application/json"

    def respond(_: Any) -> Any:
        return _HTTP.Response(200, content=data, headers={"content-type": kind})

    return _HTTP.MockTransport(respond)


def client(body: dict[str, Any] | bytes) -> openai.OpenAI:
    """Return a client over this transport."""
    http = _HTTP.Client(transport=transport(body))
    return openai.OpenAI(api_key="none", base_url="http://127.0.0.1:1/v1", http_client=http)


def messages_of(size: int, number: int = 1) -> list[dict[str, str]]:
    """Return the messages of a chat: instructions, and a text in a number of turns."""
    turns = [
        {"role": ("user", "assistant")[turn % 2], "content": text_of(size // number)}
        for turn in range(number)
    ]
    return [{"role": "system", "content": "be kind"}, *turns]


def started(operation: str, model: str) -> Attributes:
    """Return the attributes of a span's start."""
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        **_HOST,
    }


def completion(size: int) -> dict[str, Any]:
    """Return the body of the response to a chat."""
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }
    message = {"role": "assistant", "content": text_of(min(size, 200)), "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    whole = {"object": "chat.completion", "choices": [choice], "usage": usage}
    return {**_NAMED, **_SERVED, **whole}


def async_chat(size: int, url: str | None = None) -> Callable[[], Awaitable[Any]]:
    """Return what sends a chat with the asynchronous client, to a server if one is given."""
    messages: Any = messages_of(size)
    if url is None:
        http = _HTTP.AsyncClient(transport=transport(completion(size)))
        connected = openai.AsyncOpenAI(
            api_key="none", base_url="http://127.0.0.1:1/v1", http_client=http
        )
    else:
        connected = openai.AsyncOpenAI(api_key="none", base_url=url)

    def send() -> Awaitable[Any]:
        return connected.chat.completions.create(
            model=MODEL, messages=messages, temperature=0.5, max_tokens=100
        )

    return send


def chat(size: int, number: int = 1) -> Call:
    """Return a chat."""
    messages: Any = messages_of(size, number)
    connected = client(completion(size))

    def send() -> Any:
        return connected.chat.completions.create(
            model=MODEL, messages=messages, temperature=0.5, max_tokens=100
        )

    def read(response: Any, content: bool) -> Attributes:
        usage = response.usage
        found: Attributes = {
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.max_tokens": 100,
            "gen_ai.response.model": response.model,
            "gen_ai.response.id": response.id,
            "gen_ai.response.finish_reasons": tuple(it.finish_reason for it in response.choices),
            "gen_ai.usage.input_tokens": usage.prompt_tokens,
            "gen_ai.usage.output_tokens": usage.completion_tokens,
            "openai.response.service_tier": response.service_tier,
            "openai.response.system_fingerprint": response.system_fingerprint,
            "openai.api.type": "chat_completions",
        }
        if content:
            found["gen_ai.input.messages"] = messages_json(messages)
            found["gen_ai.output.messages"] = json.dumps(
                [
                    {
                        "role": "assistant",
                        "parts": parts(it.message.content),
                        "finish_reason": it.finish_reason,
                    }
                    for it in response.choices
                ]
            )
        return found

    return Call(f"chat {MODEL}", started("chat", MODEL), send, read)


def response(size: int) -> Call:
    """Return a call of the Responses API."""
    text = text_of(size)
    part: Any = {"type": "output_text", "text": text_of(min(size, 200)), "annotations": []}
    item = {"type": "message", "id": "m", "role": "assistant", "status": "completed"}
    body: dict[str, Any] = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "gpt-4o-mini-2024",
        "output": [{**item, "content": [part]}],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "service_tier": "default",
        "usage": {
            "input_tokens": 100,
            "output_tokens": 20,
            "total_tokens": 120,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }
    connected = client(body)

    def send() -> Any:
        return connected.responses.create(
            model=MODEL, instructions="be kind", input=text, temperature=0.5
        )

    def read(response: Any, content: bool) -> Attributes:
        usage = response.usage
        found: Attributes = {
            "gen_ai.request.temperature": 0.5,
            "gen_ai.response.model": response.model,
            "gen_ai.response.id": response.id,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": usage.input_tokens,
            "gen_ai.usage.output_tokens": usage.output_tokens,
            "openai.response.service_tier": response.service_tier,
            "openai.api.type": "responses",
        }
        if content:
            found["gen_ai.input.messages"] = messages_json([{"role": "user", "content": text}])
            found["gen_ai.system_instructions"] = json.dumps(parts("be kind"))
            output = {"role": "assistant", "parts": parts(response.output_text)}
            found["gen_ai.output.messages"] = json.dumps([{**output, "finish_reason": "stop"}])
        return found

    return Call(f"chat {MODEL}", started("chat", MODEL), send, read)


def embedding(size: int) -> Call:
    """Return an embedding."""
    text, model = text_of(size), "text-embedding-3-small"
    body = {
        "object": "list",
        "model": model,
        "data": [{"object": "embedding", "index": 0, "embedding": [0.25] * 64}],
        "usage": {"prompt_tokens": 100, "total_tokens": 100},
    }
    connected = client(body)

    def send() -> Any:
        return connected.embeddings.create(model=model, input=text, encoding_format="float")

    def read(response: Any, content: bool) -> Attributes:
        return {
            "gen_ai.request.encoding_formats": ("float",),
            "gen_ai.response.model": response.model,
            "gen_ai.usage.input_tokens": response.usage.prompt_tokens,
        }

    return Call(f"embeddings {model}", started("embeddings", model), send, read)


def _chunks(number: int) -> list[Any]:
    """Return the bodies of a stream's chunks."""
    common = {**_NAMED, "object": "chat.completion.chunk"}
    delta = {"index": 0, "delta": {"content": "word "}, "finish_reason": None}
    usage = {"prompt_tokens": 100, "completion_tokens": number, "total_tokens": 100 + number}
    last: Any = {"index": 0, "delta": {}, "finish_reason": "stop"}
    choices: list[Any] = [*([[delta]] * (number - 2)), [last], []]
    bodies: list[Any] = [{**common, "choices": one} for one in choices]
    bodies[-1]["usage"] = usage
    return bodies


def stream_read(number: int, *, parses: bool = False) -> Callable[[], None]:
    """Return what reads a stream of a number of chunks to its end; see `_streamed`."""
    send = _streamed(number, parses)

    def run() -> None:
        for _ in send():
            pass

    return run


def _streamed(number: int, parses: bool) -> Callable[[], Any]:
    """Return what sends a chat whose stream has a number of chunks.

    The SDK ``parses`` each when it is fetched, or they are parsed beforehand.
    """
    chunks = _chunks(number)
    if parses:
        events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
        connected = client("".join((*events, "data: [DONE]\n\n")).encode())
    else:
        connected = client(b"data: [DONE]\n\n")
        _CHUNKS[connected] = [ChatCompletionChunk.model_validate(chunk) for chunk in chunks]
        setattr(openai.Stream, "__stream__", _prepared)  # noqa: B010  a method, replaced
    messages: Any = messages_of(1000)
    usage: Any = {"include_usage": True}

    def send() -> Any:
        return connected.chat.completions.create(
            model=MODEL, messages=messages, temperature=0.5, stream=True, stream_options=usage
        )

    return send


def _prepared(stream: Any) -> Iterator[Any]:
    """Yield the chunks of the client that sent the request."""
    yield from _CHUNKS[stream._client]


def streamed_by_hand(
    tracer: Tracer,
    number: int,
    *,
    content: bool,
    parses: bool = False,
    scoped: bool = False,
) -> Callable[[], None]:
    """Return what reads such a stream within a span that is written by hand.

    If it is ``scoped``, the span is current only while a chunk is fetched, and not in between.
    """
    messages, send = messages_of(1000), _streamed(number, parses)

    def observed(span: Any) -> Iterator[Any]:
        texts: list[str] = []
        reasons: list[str] = []
        chunk: Any = None
        first: float | None = None
        start = time.perf_counter()
        for chunk in _fetched(span, send()) if scoped else send():
            if first is None:
                first = time.perf_counter() - start
            for choice in chunk.choices:
                if choice.delta.content:
                    texts.append(choice.delta.content)
                if choice.finish_reason:
                    reasons.append(choice.finish_reason)
            yield chunk
        found: Attributes = {
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.stream": True,
            "gen_ai.response.time_to_first_chunk": first,
            "gen_ai.response.model": chunk.model,
            "gen_ai.response.id": chunk.id,
            "gen_ai.response.finish_reasons": tuple(reasons),
            "gen_ai.usage.input_tokens": chunk.usage.prompt_tokens,
            "gen_ai.usage.output_tokens": chunk.usage.completion_tokens,
            "openai.api.type": "chat_completions",
        }
        if content:
            found["gen_ai.input.messages"] = messages_json(messages)
            output = {"role": "assistant", "parts": parts("".join(texts))}
            found["gen_ai.output.messages"] = json.dumps([{**output, "finish_reason": "stop"}])
        span.set_attributes(found)

    def run() -> None:
        attributes = started("chat", MODEL)
        span = tracer.start_span(f"chat {MODEL}", kind=SpanKind.CLIENT, attributes=attributes)
        with nullcontext() if scoped else use_span(span):
            for _ in observed(span):
                pass
        span.end()

    return run


def _fetched(span: Span, stream: Iterable[Any]) -> Iterator[Any]:
    """Yield the items of a stream; the span is current while one is fetched."""
    iterator = iter(stream)
    while True:
        with use_span(span):
            item = next(iterator, None)
        if item is None:
            return
        yield item
