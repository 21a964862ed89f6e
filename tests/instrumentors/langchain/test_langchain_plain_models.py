"""Models without the instrumentor: every supported version is served by the scripted model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain_openai import ChatOpenAI

from otel_agents.testing.scripted_model import ScriptedModel

Call = Callable[[ChatOpenAI], str]


async def streamed(chat: ChatOpenAI) -> str:
    return "".join([str(chunk.content) async for chunk in chat.astream("Hi")])


CALLS: dict[str, Call] = {
    "sync": lambda chat: str(chat.invoke("Hi").content),
    "async": lambda chat: str(asyncio.run(chat.ainvoke("Hi")).content),
    "stream": lambda chat: "".join([str(chunk.content) for chunk in chat.stream("Hi")]),
    "async stream": lambda chat: asyncio.run(streamed(chat)),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_response_arrives(call: Call, model: ScriptedModel) -> None:
    model.script("Sunny today.")
    settings: Any = {"model": "gpt-4o-mini", "base_url": model.openai_url, "api_key": "none"}
    assert call(ChatOpenAI(**settings)) == "Sunny today."
    (entry,) = model.ledger.wait(1, ended=True).entries
    assert (entry.api, entry.model) == ("chat.completions", "gpt-4o-mini")
