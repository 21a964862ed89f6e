"""A model in this process: it responds to the SDKs of OpenAI and Anthropic where httpx would send.

For tests with thousands of calls; other tests use the scripted model over the network.
"""

from __future__ import annotations

import importlib
import itertools
import json
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any
from unittest import mock

from otel_agents.testing.scripted_model.openai.shapes import RELEASES

__all__ = ["TEXT", "URL", "serving"]

URL = "http://127.0.0.1:9/v1"
"""A URL where nothing listens."""
TEXT = "Thought: I know it.\nFinal Answer: it"
"""The format of agents whose tools are in the prompt."""
_numbers = itertools.count()


@contextmanager
def serving() -> Generator[None, None, None]:
    """Respond to all requests, each with its own id."""
    with ExitStack() as stack:
        for name in ("httpx", "httpx2"):  # openai 3 sends with httpx2, earlier versions with httpx
            if find_spec(name) is not None:
                _serve(stack, importlib.import_module(name))
        yield


def _serve(stack: ExitStack, httpx: Any) -> None:
    def handle(transport: Any, request: Any) -> Any:
        return _response(httpx, request, request.read())

    async def ahandle(transport: Any, request: Any) -> Any:
        return _response(httpx, request, await request.aread())

    patches = (
        mock.patch.object(httpx.HTTPTransport, "handle_request", handle),
        mock.patch.object(httpx.AsyncHTTPTransport, "handle_async_request", ahandle),
    )
    for patch in patches:
        stack.enter_context(patch)


def _response(httpx: Any, request: Any, sent: bytes) -> Any:
    body, number = json.loads(sent), next(_numbers)
    last = request.url.path.rpartition("/")[2]
    whole, events = _SHAPES.get(last, _of_chat)(body, number)
    if not body.get("stream"):
        return httpx.Response(200, json=whole)
    stream = "".join(map(_line, events))
    if last != "messages":
        stream += "data: [DONE]\n\n"
    return httpx.Response(
        200, headers={"content-type": "text/event-stream"}, content=stream.encode()
    )


def _line(event: Any) -> str:
    name = f"event: {event['type']}\n" if "type" in event else ""
    return f"{name}data: {json.dumps(event)}\n\n"


def _of_chat(body: Any, number: int) -> tuple[Any, list[Any]]:
    known = {
        "id": f"chatcmpl-{number}",
        "created": 1,
        "model": RELEASES.get(body["model"], body["model"]),
    }
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    message = {"role": "assistant", "content": TEXT}
    choice = {"index": 0, "finish_reason": "stop"}
    whole = {
        **known,
        "object": "chat.completion",
        "choices": [{**choice, "message": message}],
        "usage": usage,
    }
    chunk = {**known, "object": "chat.completion.chunk"}
    events: list[Any] = [
        {**chunk, "choices": [{"index": 0, "finish_reason": None, "delta": message}]},
        {**chunk, "choices": [{**choice, "delta": {}}]},
        {**chunk, "choices": [], "usage": usage},
    ]
    return whole, events


def _of_responses(body: Any, number: int) -> tuple[Any, list[Any]]:
    text: Any = {"type": "output_text", "text": TEXT, "annotations": []}
    message: Any = {
        "type": "message",
        "id": f"msg-{number}",
        "role": "assistant",
        "status": "completed",
        "content": [text],
    }
    whole: Any = {
        "id": f"resp-{number}",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": RELEASES.get(body["model"], body["model"]),
        "output": [message],
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 9,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 3,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 12,
        },
    }
    return whole, [{"type": "response.completed", "sequence_number": 0, "response": whole}]


def _of_messages(body: Any, number: int) -> tuple[Any, list[Any]]:
    text: Any = {"type": "text", "text": TEXT}
    usage: Any = {"input_tokens": 9, "output_tokens": 3}
    whole: Any = {
        "id": f"msg-{number}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [text],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }
    events: list[Any] = [
        {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {**text, "text": ""}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": TEXT},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": usage,
        },
        {"type": "message_stop"},
    ]
    return whole, events


_SHAPES = {"responses": _of_responses, "messages": _of_messages}
