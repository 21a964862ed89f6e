"""Requests that fail: the same exception for the caller, one span, a code and no text."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from bedrock_calls import BODIES, HAS_AIOBOTOCORE, client_of
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
)
from opentelemetry.trace import StatusCode

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, nothing_listening

SECRET = "planted-secret"


def send(client: Any) -> Any:
    return client.invoke_model(**BODIES[0].arguments)


def do_not_wait(seconds: float) -> None: ...


def error_types(emission: Emission) -> list[str]:
    return [str((span.attributes or {}).get("error.type")) for span in emission.spans]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ValidationException"),
        (403, "AccessDeniedException"),
        (403, "ExpiredTokenException"),  # no class in botocore
        (408, "ModelTimeoutException"),
        (429, "ThrottlingException"),
        (500, "InternalServerException"),
    ],
)
@pytest.mark.usefixtures("instrumented")
def test_an_error_of_the_service(
    status: int, code: str, client: Any, run: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(*[Failure(status, code, SECRET)] * 2)
    with pytest.raises(ClientError, match=SECRET) as raised:
        send(client)
    assert raised.value.response.get("Error", {}).get("Code") == code
    if HAS_AIOBOTOCORE:
        with pytest.raises(ClientError, match=SECRET):
            run(send)
    count = 1 + HAS_AIOBOTOCORE
    assert error_types(emission) == [code] * count
    for span in emission.spans:
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert [name for name, _ in emission.events] == ["gen_ai.client.operation.exception"] * count
    durations = emission.points()["gen_ai.client.operation.duration"]
    assert [attributes["error.type"] for attributes, _ in durations] == [code]
    assert SECRET not in emission.texts()


@pytest.mark.parametrize("mode", ["legacy", "standard"])
@pytest.mark.usefixtures("instrumented")
def test_retries_of_the_sdk_are_inside_one_span(
    mode: str, model: ScriptedModel, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", do_not_wait)  # between the SDK's attempts
    model.script(Failure(500, "InternalServerException"), Failure(429, "ThrottlingException"))
    client = client_of(model.base_url, retries={"total_max_attempts": 3, "mode": mode})
    send(client)["body"].read()
    assert (model.ledger.requests, error_types(emission)) == (3, ["None"])
    assert (emission.span.attributes or {})["gen_ai.usage.input_tokens"] == (
        model.ledger.input_tokens
    )


@pytest.mark.usefixtures("instrumented")
def test_a_refused_connection(emission: Emission) -> None:
    with nothing_listening() as url, pytest.raises(EndpointConnectionError):
        send(client_of(url))
    assert error_types(emission) == ["botocore.exceptions.EndpointConnectionError"]


@pytest.mark.usefixtures("instrumented")
def test_a_timeout(model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("late", gate=threading.Event()))
    with pytest.raises(ReadTimeoutError):
        send(client_of(model.base_url, read_timeout=0.05))
    assert error_types(emission) == ["botocore.exceptions.ReadTimeoutError"]


@pytest.mark.skipif(not HAS_AIOBOTOCORE, reason="without aiobotocore")
@pytest.mark.usefixtures("instrumented")
def test_a_cancelled_call(run: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("late", gate=threading.Event()))

    async def use(client: Any) -> None:
        task = asyncio.create_task(send(client))
        await asyncio.to_thread(model.ledger.wait, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(use)
    assert error_types(emission) == ["asyncio.exceptions.CancelledError"]


@pytest.mark.usefixtures("instrumented")
def test_what_botocore_refuses_to_send_is_no_call(
    client: Any, model: ScriptedModel, emission: Emission
) -> None:
    with pytest.raises(ParamValidationError):
        client.invoke_model(modelId="m", body=7)
    assert (emission.spans, emission.points(), model.ledger.requests) == ((), {}, 0)
