"""Requests that fail: the same exception for the caller, one span, the provider's code and no text."""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from error_laws import (
    SECRET,
    check_cancelled_call,
    check_error_by_class,
    check_errors,
    check_retries,
    error_types,
    qualified,
)
from mistral_calls import CALLS, MESSAGES, MODULE, VERSION, Call, Mistral, connect

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, nothing_listening


def send(client: Any, **arguments: Any) -> Any:
    return client.chat.complete(model="m", messages=MESSAGES, **arguments)


def send_async(client: Any, **arguments: Any) -> Any:
    return client.chat.complete_async(model="m", messages=MESSAGES, **arguments)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (Failure(400, message=SECRET), "invalid_request_error"),
        (Failure(429, "3505", SECRET, kind="capacity_exceeded"), "capacity_exceeded"),
        (Failure(401, "1001", SECRET, kind=f"not a code {SECRET}"), "1001"),
        (Failure(500, None, SECRET, kind=f"not a code {SECRET}"), "500"),
    ],
)
@pytest.mark.usefixtures("instrumented")
def test_an_error_of_the_provider(
    failure: Failure, code: str, client: Any, run: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(failure, failure, failure)
    sends: list[Callable[[], Any]] = [partial(send, client), partial(run, send_async)]
    if VERSION >= (1, 1):  # 1.0 cannot read an error of a stream
        sends.append(lambda: client.chat.stream(model="m", messages=MESSAGES))
    check_errors(sends, sdk_error(), code, emission)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error": {"code": "DeploymentNotFound", "message": SECRET}}, "DeploymentNotFound"),
        ({"error": {"code": 404, "status": "NOT_FOUND", "message": SECRET}}, "NOT_FOUND"),
        ([{"error": {"code": 404, "status": "NOT_FOUND", "message": SECRET}}], "NOT_FOUND"),
        ({"error": {"code": f"not a code {SECRET}"}, "type": "not_found"}, "not_found"),
        ({"error": {"message": SECRET}, "type": "not_found"}, "not_found"),
        ({"error": SECRET, "code": 7}, "404"),
        ({"detail": [{"type": SECRET}]}, "404"),
        ([], "404"),
        (SECRET, "404"),
    ],
)
@pytest.mark.usefixtures("instrumented")
def test_an_error_in_the_shape_of_a_cloud(body: Any, code: str, emission: Emission) -> None:
    with failing(json.dumps(body)) as client, pytest.raises(sdk_error()):
        send(client)
    assert error_types(emission) == [code]
    assert SECRET not in emission.texts()


@pytest.mark.skipif(VERSION < (3, 0), reason="the error of an old version has no body")
@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"object": "error", "type": "internal_error", "message": SECRET}, "internal_error"),
        ({"error": {"code": "3505", "message": SECRET}}, "3505"),
        ({"object": "error", "type": f"not a code {SECRET}"}, None),
        ({"type": "message.output", "object": "entry"}, None),
    ],
)
@pytest.mark.usefixtures("instrumented")
def test_an_error_event_of_a_chat(event: Any, code: str | None, emission: Emission) -> None:
    body = f"data: {json.dumps(event)}\n\n"
    with (
        failing(body, 200, "text/event-stream") as client,
        pytest.raises(Exception, match="validation failed") as raised,
    ):
        list(client.chat.stream(model="m", messages=MESSAGES))
    assert error_types(emission) == [code or qualified(raised.value)]
    assert SECRET not in emission.texts()


@pytest.mark.skipif(VERSION < (3, 0), reason="the error of an old version has no body")
@pytest.mark.usefixtures("instrumented")
def test_a_response_that_the_sdk_does_not_parse_has_its_tokens(
    client: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("one", extra={"created": SECRET}), Response(extra={"data": SECRET}))
    sends: list[Callable[[], Any]] = [
        partial(send, client),
        lambda: client.embeddings.create(model="m", inputs=["p"]),
    ]
    for one in sends:
        with pytest.raises(Exception, match="validation failed"):
            one()
    tokens = [(span.attributes or {})["gen_ai.usage.input_tokens"] for span in emission.spans]
    assert tokens == [entry.input_tokens for entry in model.ledger.entries]
    assert SECRET not in emission.texts()


@contextmanager
def failing(
    body: str, status: int = 404, content_type: str = "application/json"
) -> Generator[Any, None, None]:
    """Yield a client whose every response has this status and body."""
    httpx: Any = importlib.import_module("httpx2" if VERSION >= (3, 0) else "httpx")
    headers = {"content-type": content_type}

    def respond(_: Any) -> Any:
        return httpx.Response(status, headers=headers, text=body)

    with httpx.Client(transport=httpx.MockTransport(respond)) as http_client:
        yield Mistral(api_key="none", server_url="http://model.test", client=http_client)


def sdk_error() -> type[Exception]:
    name = "errors" if VERSION >= (2, 0) else "models"
    return importlib.import_module(f"{MODULE}.{name}").SDKError


@pytest.mark.skipif(VERSION < (1, 1), reason="1.0 fails at its second attempt")
@pytest.mark.usefixtures("instrumented")
def test_retries_of_the_sdk_are_inside_one_span(model: ScriptedModel, emission: Emission) -> None:
    utils: Any = importlib.import_module(f"{MODULE}.utils")
    backoff = utils.BackoffStrategy(1, 1, 1.0, 10_000)
    client = connect(model.mistral_url, retry_config=utils.RetryConfig("backoff", backoff, True))
    check_retries(partial(send, client), model, emission)


@pytest.mark.usefixtures("instrumented")
def test_a_refused_connection(emission: Emission) -> None:
    with nothing_listening() as url:
        check_error_by_class(partial(send, connect(url)), emission, "refused")
    assert [it.partition(".")[2] for it in error_types(emission)] == ["ConnectError"]


@pytest.mark.usefixtures("instrumented")
def test_a_timeout(client: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("late", gate=threading.Event()))
    with pytest.raises(Exception, match="timed out"):
        send(client, timeout_ms=50)
    assert [it.partition(".")[2] for it in error_types(emission)] == ["ReadTimeout"]


@pytest.mark.usefixtures("instrumented")
def test_a_cancelled_call(run: Any, model: ScriptedModel, emission: Emission) -> None:
    check_cancelled_call(run, send_async, model, emission)


@pytest.mark.usefixtures("instrumented")
def test_a_wrong_argument_raises_as_before_and_is_no_call(
    client: Any, run: Any, model: ScriptedModel, emission: Emission
) -> None:
    with pytest.raises(TypeError):
        send(client, no_such_argument=True)
    with pytest.raises(Exception, match="validation error"):
        client.chat.complete(model="m", messages=3)

    def send_number(client: Any) -> Any:
        return client.chat.complete_async(model="m", messages=3)

    with pytest.raises(Exception, match="validation error"):
        run(send_number)
    assert (emission.spans, emission.points(), model.ledger.requests) == ((), {}, 0)


@pytest.mark.parametrize("call", [pytest.param(call, id=call.name) for call in CALLS])
@pytest.mark.usefixtures("instrumented")
def test_every_surface_reports_its_errors(
    call: Call, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Failure(500, message=SECRET))
    with pytest.raises(Exception, match=SECRET):
        call.of(client, call.method)(**call.arguments)
    assert error_types(emission) == ["internal_server_error"]
    assert SECRET not in emission.texts()
