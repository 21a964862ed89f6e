"""Content is recorded as it was sent: later edits of the application do not change it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from importlib import import_module
from typing import Any

import pytest
from autogen_teams import assistant, round_robin

from otel_agents.testing.emission import Emission

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
models: Any = import_module("autogen_core.models")
messages_of: Any = import_module("autogen_agentchat.messages")
INFO = {"vision": False, "function_calling": True, "json_output": False, "family": "unknown"}


class Editing(models.ChatCompletionClient):
    """The application's own model client, which edits its input."""

    model = "own"

    def __init__(self, task: Any) -> None:
        self.task = task

    async def create(self, messages: Any, **more: Any) -> Any:
        self.task.content = "EDITED"
        for message in messages:
            message.content = "EDITED"
        messages.append(models.UserMessage(content="EDITED", source="user"))
        usage = models.RequestUsage(prompt_tokens=7, completion_tokens=5)
        return models.CreateResult(finish_reason="stop", content="well", usage=usage, cached=False)

    async def create_stream(self, messages: Any, **more: Any) -> AsyncIterator[Any]:
        yield await self.create(messages)

    async def close(self) -> None:
        return None

    def _unknown(self, *args: Any, **more: Any) -> Any:
        raise NotImplementedError

    actual_usage = total_usage = count_tokens = remaining_tokens = _unknown
    capabilities = model_info = property(lambda self: INFO)


@pytest.mark.parametrize("streams", [False, True])
def test_input_messages(streams: bool, instrument: Callable[..., None], emission: Emission) -> None:
    instrument(**{CAPTURE: "SPAN_ONLY"})
    task = messages_of.TextMessage(content="SENT", source="user")

    async def main() -> None:
        client = Editing(task)
        await round_robin(assistant("first", client), turns=1).run(task=task)
        if streams:
            input_messages = [models.UserMessage(content="SENT", source="user")]
            _ = [item async for item in client.create_stream(input_messages)]

    asyncio.run(main())
    recorded = [str((span.attributes or {})["gen_ai.input.messages"]) for span in emission.spans]
    assert len(recorded) == (4 if streams else 3)
    assert [text for text in recorded if "EDITED" in text or "SENT" not in text] == []
