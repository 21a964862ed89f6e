"""Requests that fail: the same exception for the caller, one span, the provider's code and no text."""

from __future__ import annotations

import asyncio
import importlib
import threading
from functools import partial
from importlib.util import find_spec
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from google_calls import MODEL, PROMPT, VERSION, connected
from opentelemetry.trace import StatusCode

from otel_agents.instrumentors._core.operations import in_progress
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import (
    Disconnect,
    Failure,
    Response,
    ScriptedModel,
    nothing_listening,
)

SECRET = "planted-secret"


def send(client: Any, **arguments: Any) -> Any:
    return client.models.generate_content(model=MODEL, contents=PROMPT, **arguments)


async def send_async(client: Any) -> Any:
    return await send(client)


def stream(client: Any) -> Any:
    return list(client.models.generate_content_stream(model=MODEL, contents=PROMPT))


async def stream_async(client: Any) -> Any:
    found = await client.models.generate_content_stream(model=MODEL, contents=PROMPT)
    return [chunk async for chunk in found]


def embed(client: Any) -> Any:
    return client.models.embed_content(model="text-embedding-004", contents=PROMPT)


def error_types(emission: Emission) -> list[str]:
    return [str((span.attributes or {}).get("error.type")) for span in emission.spans]


@pytest.mark.parametrize(
    ("status", "name", "code"),
    [
        (400, "ClientError", "INVALID_ARGUMENT"),
        (401, "ClientError", "UNAUTHENTICATED"),
        (429, "ClientError", "RESOURCE_EXHAUSTED"),
        (503, "ServerError", "UNAVAILABLE"),
    ],
)
@pytest.mark.usefixtures("instrumented")
def test_an_error_of_the_provider(
    status: int,
    name: str,
    code: str,
    client: genai.Client,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(*[Failure(status, message=SECRET)] * 5)
    for way in (send, stream, embed):
        with pytest.raises(getattr(errors, name), match=SECRET):
            way(client)
    for way in (send_async, stream_async):
        with pytest.raises(getattr(errors, name), match=SECRET):
            run(way)
    assert error_types(emission) == [code] * 5
    for span in emission.spans:
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    exceptions = [attributes for name, attributes in emission.events if name == EXCEPTION]
    assert [one["exception.type"] for one in exceptions] == [f"google.genai.errors.{name}"] * 5
    assert SECRET not in emission.texts()


EXCEPTION = "gen_ai.client.operation.exception"


@pytest.mark.parametrize("status", ["Bad Gateway", SECRET.upper(), f"A {SECRET}".upper(), "7"])
@pytest.mark.usefixtures("instrumented")
def test_an_error_without_a_code_has_its_class(
    status: str, client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    """What a gateway writes there may be a text with content."""
    model.script_by(lambda _: Failure(502, code=status))
    with pytest.raises(errors.ServerError):
        send(client)
    assert error_types(emission) == ["google.genai.errors.ServerError"]


@pytest.mark.usefixtures("instrumented")
def test_a_connection_that_closes(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Disconnect())
    with pytest.raises(Exception) as raised:  # noqa: PT011  which one depends on the SDK's transport
        send(client)
    kind = type(raised.value)
    assert error_types(emission) == [f"{kind.__module__}.{kind.__qualname__}"]


@pytest.mark.usefixtures("instrumented")
def test_a_refused_connection(emission: Emission) -> None:
    with nothing_listening() as url, connected(url) as client, pytest.raises(Exception) as raised:  # noqa: PT011  as above
        send(client)
    kind = type(raised.value)
    assert error_types(emission) == [f"{kind.__module__}.{kind.__qualname__}"]


@pytest.mark.usefixtures("instrumented")
def test_a_timeout(client: genai.Client, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("late", gate=threading.Event()))
    with pytest.raises(Exception, match=r"(?i)timed? ?out"):
        send(client, config={"http_options": {"timeout": 50}})
    (kind,) = error_types(emission)
    assert "Timeout" in kind


@pytest.mark.usefixtures("instrumented")
def test_a_cancelled_call(run: Any, model: ScriptedModel, emission: Emission) -> None:
    gate = threading.Event()
    model.script(Response("late", gate=gate))

    async def use(client: Any) -> None:
        task = asyncio.create_task(send(client))
        await asyncio.to_thread(model.ledger.wait, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()  # the oldest version sends in a thread

    run(use)
    assert error_types(emission) == ["asyncio.exceptions.CancelledError"]


@pytest.mark.usefixtures("instrumented")
def test_a_wrong_argument_raises_as_before_and_is_no_call(
    client: genai.Client, emission: Emission
) -> None:
    with pytest.raises(TypeError):
        client.models.generate_content(no_such_argument=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  the point
    assert emission.spans == ()


@pytest.mark.usefixtures("instrumented")
def test_what_the_sdk_refuses_is_no_call(
    client: genai.Client, run: Any, model: ScriptedModel, emission: Emission
) -> None:
    """It checks the configuration where it sends a request, and sends none."""
    refused: Any = {"routing_config": {"auto_mode": {}}}  # for Vertex AI alone
    arguments: dict[str, Any] = {"model": MODEL, "contents": PROMPT, "config": refused}
    with pytest.raises(ValueError, match="routing_config"):
        client.models.generate_content(**arguments)
    with pytest.raises(ValueError, match="routing_config"):
        list(client.models.generate_content_stream(**arguments))
    with pytest.raises(ValueError, match="routing_config"):
        run(partial(send, config=refused))
    assert (model.ledger.requests, emission.spans, in_progress.operations()) == (0, (), [])


@pytest.mark.skipif(VERSION < (1, 33), reason="has no raw responses")
@pytest.mark.parametrize("body", ["", "no JSON", "[]", "null", "[" * 100_000])
def test_a_raw_response_that_is_no_json(body: str, instrument: Any) -> None:
    """The application may read what the SDK cannot."""
    emission = Emission()
    instrument(emission=emission, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    httpx: Any = importlib.import_module("httpx2" if find_spec("httpx2") else "httpx")

    def respond(_: Any) -> Any:
        return httpx.Response(200, text=body)

    transport = {"client_args": {"transport": httpx.MockTransport(respond)}}
    with connected("http://model.test", http_options=transport) as client:
        config = types.GenerateContentConfig(should_return_http_response=True)
        received = send(client, config=config).sdk_http_response
    assert received.body == body
    attributes = emission.span.attributes or {}
    assert emission.span.status.status_code is StatusCode.UNSET
    assert {"gen_ai.output.messages", "gen_ai.usage.input_tokens"}.isdisjoint(attributes)
    emission.close()


@pytest.mark.skipif(VERSION < (1, 33), reason="has no retries")
@pytest.mark.usefixtures("instrumented")
def test_retries_of_the_sdk_are_inside_one_span(model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(503), Failure(429), "Hi")
    options = {"retry_options": {"attempts": 3, "initial_delay": 0.001, "max_delay": 0.001}}
    with connected(model.base_url, http_options=options) as client:
        send(client)
    assert model.ledger.requests == 3
    assert error_types(emission) == ["None"]
    tokens = (emission.span.attributes or {})["gen_ai.usage.input_tokens"]
    assert tokens == model.ledger.input_tokens > 0
