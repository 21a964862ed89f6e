"""The openai SDK raises its own errors for broken, hanging and abandoned responses."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from otel_agents.testing.scripted_model import (
    Abort,
    Disconnect,
    ErrorEvent,
    Hold,
    MalformedEvent,
    Response,
    ScriptedModel,
    Usage,
    nothing_listening,
)

MESSAGES: Any = [{"role": "user", "content": "Hi"}]
WORDS = "one two three"
READ_TIMEOUT = openai.Timeout(10, read=0.05)


@pytest.fixture
def client(model: ScriptedModel) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=model.openai_url, api_key="none", max_retries=0) as client:
        yield client


def stream(client: openai.OpenAI) -> Any:
    more: Any = {"extra_body": {"stream_options": {"include_usage": True}}}
    return client.chat.completions.create(model="m", messages=MESSAGES, stream=True, **more)


def read_to_the_break(client: openai.OpenAI) -> tuple[list[str], Exception]:
    """Return the texts that arrived, and the SDK's error."""
    texts: list[str] = []
    chunks = stream(client)
    try:
        for chunk in chunks:
            texts += [choice.delta.content for choice in chunk.choices if choice.delta.content]
    except Exception as error:  # noqa: BLE001  the tests check its type
        return texts, error
    finally:
        chunks.response.close()
    pytest.fail(f"the stream did not break: {texts}")


def states(model: ScriptedModel) -> list[tuple[str, Usage | None]]:
    return [(entry.status.value, entry.reported) for entry in model.ledger.entries]


def test_aborted_stream_breaks_after_the_scripted_events(
    model: ScriptedModel, client: openai.OpenAI
) -> None:
    """The first event opens the message; two texts follow; the network error is the SDK's or httpx's."""
    model.script(Response(WORDS, fault=Abort(after=3)))
    texts, error = read_to_the_break(client)
    assert texts == ["one ", "two "]
    assert type(error).__name__ in ("RemoteProtocolError", "APIConnectionError")
    assert states(model) == [("failed", None)]


def test_error_event_is_the_api_error_of_the_sdk(
    model: ScriptedModel, client: openai.OpenAI
) -> None:
    model.script(Response(WORDS, fault=ErrorEvent(after=2, message="Overloaded.")))
    texts, error = read_to_the_break(client)
    assert texts == ["one "]
    assert isinstance(error, openai.APIError)
    assert error.message == "Overloaded."
    assert states(model) == [("failed", None)]


def test_malformed_event_is_a_json_error(model: ScriptedModel, client: openai.OpenAI) -> None:
    model.script(Response(WORDS, fault=MalformedEvent(after=2)))
    texts, error = read_to_the_break(client)
    assert (texts, type(error)) == (["one "], json.JSONDecodeError)
    assert states(model) == [("failed", None)]


def test_stream_that_breaks_after_its_usage_stays_billed(
    model: ScriptedModel, client: openai.OpenAI
) -> None:
    """Events: role, one, two, three, end, usage."""
    model.script(Response(WORDS, fault=Abort(after=6), usage=Usage(5, 3)))
    read_to_the_break(client)
    assert states(model) == [("billed", Usage(5, 3))]


@pytest.mark.parametrize(
    "reaction", [Response(fault=Abort()), Disconnect()], ids=["abort", "disconnect"]
)
def test_aborted_response_is_a_connection_error(
    model: ScriptedModel, client: openai.OpenAI, reaction: Response | Disconnect
) -> None:
    model.script(reaction)
    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(model="m", messages=MESSAGES)
    assert states(model) == [("failed", None)]
    client.chat.completions.create(model="m", messages=MESSAGES)  # and the next one is served
    assert model.ledger.bill.billed == 1


def test_refused_connection(client: openai.OpenAI) -> None:
    with nothing_listening() as url, pytest.raises(openai.APIConnectionError):
        client.with_options(base_url=url).chat.completions.create(model="m", messages=MESSAGES)


def test_hanging_response_times_out_and_is_released_by_its_gate(
    model: ScriptedModel, client: openai.OpenAI
) -> None:
    gate = threading.Event()
    model.script(Response(gate=gate))
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=READ_TIMEOUT).chat.completions.create(
            model="m", messages=MESSAGES
        )
    assert model.ledger.wait(1).entries[0].status.value == "open"
    gate.set()
    (entry,) = model.ledger.wait(1, ended=True).entries
    assert (entry.status.value, entry.reported) == ("unbilled", None)


def test_cancelled_request_can_be_awaited_in_the_ledger(model: ScriptedModel) -> None:
    gate = threading.Event()
    model.script(Response(gate=gate))

    async def main() -> None:
        async with openai.AsyncOpenAI(base_url=model.openai_url, api_key="none") as client:
            call = asyncio.create_task(client.chat.completions.create(model="m", messages=MESSAGES))
            await asyncio.to_thread(model.ledger.wait, 1)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    asyncio.run(main())
    assert states(model) == [("open", None)]


def test_held_stream_goes_on_when_released(model: ScriptedModel, client: openai.OpenAI) -> None:
    gate = threading.Event()
    model.script(Response(WORDS, hold=Hold(after=2, gate=gate)))
    chunks = iter(stream(client))
    texts = [next(chunks).choices[0].delta.content for _ in range(2)]
    assert model.ledger.entries[0].ended is False
    gate.set()
    texts += [it.choices[0].delta.content for it in chunks if it.choices]
    assert texts == ["", "one ", "two ", "three", None]
    assert model.ledger.entries[0].status.value == "billed"


def test_abandoned_stream_is_not_billed(model: ScriptedModel, client: openai.OpenAI) -> None:
    """A client that closes while the stream is held gets no usage, so none is billed."""
    gate = threading.Event()
    model.script(Response(WORDS, hold=Hold(after=2, gate=gate)))
    chunks = stream(client)
    next(iter(chunks))
    chunks.response.close()
    gate.set()
    (entry,) = model.ledger.wait(1, ended=True).entries
    assert (entry.status.value, entry.reported, entry.input_tokens) == ("unbilled", None, 0)


def test_undelivered_response_is_not_billed() -> None:
    """It is larger than the buffers of a client that does not read."""
    with ScriptedModel() as model, socket.create_connection(("127.0.0.1", model.port)) as client:
        model.script("x" * 50_000_000)
        client.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        client.recv(1)
        assert states(model)[0][0] == "billed"
    assert states(model) == [("unbilled", None)]


def test_close_releases_whatever_hangs() -> None:
    """While a request waits, closing returns and the client gets an error."""
    with ScriptedModel() as model:
        model.script(Response(gate=threading.Event()))
        with (
            openai.OpenAI(base_url=model.openai_url, api_key="none", max_retries=0) as client,
            ThreadPoolExecutor(1) as pool,
        ):
            call = pool.submit(client.chat.completions.create, model="m", messages=MESSAGES)
            model.ledger.wait(1)
            model.close()
            assert isinstance(call.exception(), openai.APIConnectionError)


def test_close_leaves_no_thread_and_no_socket() -> None:
    """Not even while a client keeps its connection alive; an unclosed socket would warn, and fail."""
    before = threading.enumerate()
    model = ScriptedModel().start()
    with openai.OpenAI(base_url=model.openai_url, api_key="none") as client:
        client.chat.completions.create(model="m", messages=MESSAGES)
        assert len(threading.enumerate()) > len(before)
        model.close()
        model.close()
    assert threading.enumerate() == before
    del model
    gc.collect()
