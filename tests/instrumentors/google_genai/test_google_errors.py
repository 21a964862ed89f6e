"""Requests that fail: the same exception for the caller, one span, the provider's code and no text."""

from __future__ import annotations

import importlib
import threading
from functools import partial
from importlib.util import find_spec
from typing import Any

import pytest
from error_laws import (
    SECRET,
    check_cancelled_call,
    check_error_by_class,
    check_errors,
    check_retries,
    error_types,
)
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
    sends = [partial(way, client) for way in (send, stream, embed)]
    sends += [partial(run, way) for way in (send_async, stream_async)]
    check_errors(sends, getattr(errors, name), code, emission)
    exceptions = [attributes["exception.type"] for _, attributes in emission.events]
    assert exceptions == [f"google.genai.errors.{name}"] * 5


@pytest.mark.parametrize("status", ["Bad Gateway", SECRET.upper(), f"A {SECRET}".upper(), "7"])
@pytest.mark.usefixtures("instrumented")
def test_an_error_without_a_code_has_its_http_status(
    status: str, client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    """What a gateway writes there may be a text with content."""
    model.script_by(lambda _: Failure(502, code=status))
    with pytest.raises(errors.ServerError):
        send(client)
    assert error_types(emission) == ["502"]


@pytest.mark.usefixtures("instrumented")
def test_a_connection_that_closes(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Disconnect())
    check_error_by_class(partial(send, client), emission)


@pytest.mark.usefixtures("instrumented")
def test_a_refused_connection(emission: Emission) -> None:
    with nothing_listening() as url, connected(url) as client:
        check_error_by_class(partial(send, client), emission)


@pytest.mark.usefixtures("instrumented")
def test_a_timeout(client: genai.Client, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("late", gate=threading.Event()))
    with pytest.raises(Exception, match=r"(?i)timed? ?out"):
        send(client, config={"http_options": {"timeout": 50}})
    (kind,) = error_types(emission)
    assert "Timeout" in kind


@pytest.mark.usefixtures("instrumented")
def test_a_cancelled_call(run: Any, model: ScriptedModel, emission: Emission) -> None:
    check_cancelled_call(run, send, model, emission)


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
    options = {"retry_options": {"attempts": 3, "initial_delay": 0.001, "max_delay": 0.001}}
    with connected(model.base_url, http_options=options) as client:
        check_retries(partial(send, client), model, emission)
