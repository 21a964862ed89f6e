"""Usage that a stream over LiteLLM's own HTTP was not asked for, and that we ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from litellm_calls import MESSAGES, litellm, route

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_usage_of_streams_is_asked_for_over_its_own_http(
    asynchronous: bool,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
    run: Callable[..., Any],
) -> None:
    arguments = {"messages": MESSAGES, "stream": True, **route("groq/qwen-qwq-32b", model)}

    async def ask_async() -> list[Any]:
        return [chunk async for chunk in await litellm.acompletion(**arguments)]

    def read() -> list[Any]:
        chunks = run(ask_async) if asynchronous else list(litellm.completion(**arguments))
        return [(len(chunk.choices), getattr(chunk, "usage", None)) for chunk in chunks]

    bare = read()
    instrument(OTEL_AGENTS_STREAM_USAGE="true")
    assert read() == bare
    *_, entry = model.ledger.entries
    attributes = emission.span.attributes or {}
    assert entry.told is not None
    assert attributes["gen_ai.usage.input_tokens"] == entry.input_tokens
    assert attributes["gen_ai.usage.output_tokens"] == entry.output_tokens
