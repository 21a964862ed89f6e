"""Model classes that stream events of their own, and no chunks of messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from langchain_graphs import CHAT, CORE, attributes
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

pytestmark = [
    pytest.mark.usefixtures("instrumented"),
    pytest.mark.skipif(Version("1.3.2") > CORE, reason="models stream no events"),
]

USAGE: Any = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
BLOCK: Any = {"type": "text", "text": "Sunny."}
EVENTS: list[Any] = [
    {"event": "message-start", "role": "ai"},
    {"event": "content-block-start", "index": 0, "content": {"type": "text", "text": ""}},
    {"event": "content-block-delta", "index": 0, "delta": {"type": "text-delta", "text": "Sunny."}},
    {"event": "content-block-finish", "index": 0, "content": BLOCK},
    {"event": "message-finish", "usage": USAGE, "metadata": {"finish_reason": "stop"}},
]


class Native(BaseChatModel):
    """A model of the application's that streams events."""

    model: str = "own-1"
    below: Any = None
    fails: bool = False

    @property
    def _llm_type(self) -> str:
        return "own"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError

    def _stream_chat_model_events(self, messages: Any, **kwargs: Any) -> Iterator[Any]:
        if self.below is not None:
            self.below.invoke(messages)
        if self.fails:
            raise ValueError("planted-secret")
        yield from EVENTS

    async def _astream_chat_model_events(self, messages: Any, **kwargs: Any) -> AsyncIterator[Any]:
        await asyncio.sleep(0)
        for event in self._stream_chat_model_events(messages):
            yield event


def streamed(model: Any, loop: asyncio.AbstractEventLoop) -> None:
    assert model.stream_events("hi", version="v3").output.text == "Sunny."


def streamed_later(model: Any, loop: asyncio.AbstractEventLoop) -> None:
    async def run() -> None:
        assert (await (await model.astream_events("hi", version="v3")).output).text == "Sunny."

    loop.run_until_complete(run())


WAYS = pytest.mark.parametrize("way", [streamed, streamed_later])
Way = Callable[[Any, asyncio.AbstractEventLoop], None]


@WAYS
def test_a_class_that_streams_events_reports_itself(
    way: Way, loop: asyncio.AbstractEventLoop, emission: Emission
) -> None:
    way(Native(), loop)
    (found,) = attributes(emission, "chat own-1")
    assert found.pop("gen_ai.response.time_to_first_chunk") > 0
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "custom",
        "gen_ai.request.model": "own-1",
        "gen_ai.request.stream": True,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 7,
    }


@WAYS
def test_one_that_calls_a_visible_model_counts_once(
    way: Way,
    llm: Any,
    loop: asyncio.AbstractEventLoop,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script("Sunny.")
    way(Native(below=llm), loop)
    assert emission.tree() == [CHAT]


@WAYS
def test_one_that_fails_has_an_error(
    way: Way, loop: asyncio.AbstractEventLoop, emission: Emission
) -> None:
    with pytest.raises(ValueError, match="planted-secret"):
        way(Native(fails=True), loop)
    (found,) = attributes(emission, "chat own-1")
    assert found["error.type"] == "ValueError"
    assert "planted-secret" not in emission.texts()
