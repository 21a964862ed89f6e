"""Streams that end early or fail, and that the caller's stream is the SDK's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import groq
import pytest
from error_laws import SECRET
from groq_calls import chat
from opentelemetry.trace import StatusCode
from stream_laws import TEXT, StreamLaws, ending, failed

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ErrorEvent, Response, ScriptedModel


class TestStreams(StreamLaws):
    """The laws for chat."""


def send(client: Any, **arguments: Any) -> Any:
    return chat(client, stream=True, **arguments)


def plain(client: groq.Groq, run: Any) -> None:
    list(send(client))


def plain_async(client: groq.Groq, run: Any) -> None:
    async def use(client: groq.AsyncGroq) -> None:
        async for _ in await send(client):
            pass

    run(use)


def raw(client: groq.Groq, run: Any) -> None:
    response: Any = client.chat.completions.with_raw_response.create(
        model="m", messages=[{"role": "user", "content": "hi"}], stream=True
    )
    list(response.parse())


def lines(client: groq.Groq, run: Any) -> None:
    with client.chat.completions.with_streaming_response.create(
        model="m", messages=[{"role": "user", "content": "hi"}], stream=True
    ) as response:
        list(response.iter_lines())


ways = pytest.mark.parametrize("way", [plain, plain_async, raw, lines])


@ways
@pytest.mark.usefixtures("instrumented")
def test_an_error_event_is_the_same_error_however_it_is_read(
    way: Callable[..., None],
    client: groq.Groq,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(Response(TEXT, fault=ErrorEvent(2, "over_capacity", SECRET)))
    if way is lines:
        way(client, run)
    else:
        with pytest.raises(groq.APIError, match=SECRET):
            way(client, run)
    assert ending(emission) == failed("over_capacity")
    assert SECRET not in emission.texts()


@ways
@pytest.mark.parametrize(
    ("reason", "kind"), [("over_capacity", "over_capacity"), (f"No, {SECRET}", "_OTHER")]
)
@pytest.mark.usefixtures("instrumented")
def test_an_error_in_the_last_chunk_is_an_error(
    reason: str,
    kind: str,
    way: Callable[..., None],
    client: groq.Groq,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    """The SDK raises nothing. Its text is content, unless it is a code."""
    model.script(Response("one", finish_reason="error", extra={"x_groq": {"error": reason}}))
    way(client, run)
    status, recorded = ending(emission)
    assert (status, recorded["error.type"]) == (StatusCode.ERROR, kind)
    assert (emission.span.attributes or {})["gen_ai.usage.input_tokens"] == (
        model.ledger.input_tokens
    )
    assert SECRET not in emission.texts()
