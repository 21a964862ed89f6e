"""A model class that an application wrote for OpenAI's Agents SDK, and the items of its responses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

from openai.types.responses import (
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)

__all__ = ["Scripted", "call", "reply"]

interface: Any = import_module("agents.models.interface")
items: Any = import_module("agents.items")
usage: Any = import_module("agents.usage")


def reply(text: str) -> ResponseOutputMessage:
    content = ResponseOutputText(type="output_text", text=text, annotations=[])
    return ResponseOutputMessage(
        id="msg-1", type="message", role="assistant", status="completed", content=[content]
    )


def call(name: str, arguments: str = "{}", call_id: str = "call-1") -> ResponseFunctionToolCall:
    return ResponseFunctionToolCall(
        type="function_call", call_id=call_id, name=name, arguments=arguments
    )


class Scripted(interface.Model):
    """Responds with one list of items after the other, each of 5 and 7 tokens."""

    def __init__(self, *responses: list[Any]) -> None:
        self.model = "own-model"
        self._responses = list(responses)

    async def get_response(self, *args: Any, **kwargs: Any) -> Any:
        billed = usage.Usage(requests=1, input_tokens=5, output_tokens=7, total_tokens=12)
        given: Any = items.ModelResponse
        names = given.__dataclass_fields__
        ids = {name: None for name in ("response_id", "referenceable_id") if name in names}
        return given(output=self._responses.pop(0), usage=billed, **ids)

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        usage = {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}
        details = {
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        }
        response = {
            "id": "__fake_id__",
            "created_at": 0,
            "model": "own-model",
            "object": "response",
            "output": self._responses.pop(0),
            "tool_choice": "auto",
            "tools": [],
            "parallel_tool_calls": False,
            "usage": {**usage, **details},
        }
        yield ResponseCompletedEvent.model_validate(
            {"type": "response.completed", "sequence_number": 0, "response": response}
        )
