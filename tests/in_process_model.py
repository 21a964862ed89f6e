"""A model in this process: it responds to the OpenAI SDK where httpx would send the request.

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
    shapes = _of_responses if request.url.path.endswith("/responses") else _of_chat
    whole, events = shapes(body, number)
    if not body.get("stream"):
        return httpx.Response(200, json=whole)
    stream = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    return httpx.Response(
        200, headers={"content-type": "text/event-stream"}, content=stream.encode()
    )


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
