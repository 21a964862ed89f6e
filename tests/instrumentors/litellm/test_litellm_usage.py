"""Usage that we request for LiteLLM's streams: the caller's chunks stay the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from litellm_calls import MESSAGES, litellm, route

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel
from otel_agents.testing.scripted_model.dialect import ModelRequest

CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "its own HTTP": ("completion", "groq/qwen-qwq-32b", {"messages": MESSAGES}),
    "the SDK": ("completion", "openai/gpt-4o-mini", {"messages": MESSAGES}),
    "texts over the SDK": ("text_completion", "gpt-3.5-turbo-instruct", {"prompt": "Say this"}),
}
each_call = pytest.mark.parametrize("called", CALLS.values(), ids=CALLS)
each_twin = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
SETTING = {"OTEL_AGENTS_STREAM_USAGE": "true"}


@pytest.fixture
def read(
    called: tuple[str, str, dict[str, Any]],
    asynchronous: bool,
    model: ScriptedModel,
    run: Callable[..., Any],
) -> Callable[[], list[Any]]:
    """Send, and return what could differ in each chunk."""
    function, name, arguments = called
    request = {**arguments, "stream": True, **route(name, model)}

    async def send_async() -> list[Any]:
        return [chunk async for chunk in await getattr(litellm, f"a{function}")(**request)]

    def reading() -> list[Any]:
        chunks = run(send_async) if asynchronous else list(getattr(litellm, function)(**request))
        return [(len(chunk.choices), getattr(chunk, "usage", None)) for chunk in chunks]

    return reading


@each_twin
@each_call
def test_usage_of_streams_is_requested(
    read: Callable[[], list[Any]],
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    bare = read()
    instrument(**SETTING)
    assert read() == bare
    *_, entry = model.ledger.entries
    attributes = emission.span.attributes or {}
    assert entry.reported is not None
    assert attributes["gen_ai.usage.input_tokens"] == entry.input_tokens
    assert attributes["gen_ai.usage.output_tokens"] == entry.output_tokens


def knows_no_option(request: ModelRequest) -> Response | Failure:
    if "stream_options" in request.body:
        return Failure(400, message="Unrecognized request argument supplied: stream_options")
    return Response("one two")


@each_twin
@each_call
def test_a_host_that_refuses_the_option_gets_it_once(
    read: Callable[[], list[Any]],
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    model.script_by(knows_no_option)
    bare = read()
    instrument(**SETTING)
    assert [read(), read()] == [bare, bare]
    assert ["stream_options" in entry.body for entry in model.ledger.entries] == [
        *(False, True, False),
        False,
    ]
    assert [(span.attributes or {}).get("error.type") for span in emission.spans] == [None, None]
