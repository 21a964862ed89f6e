"""Requests that fail: the same exception for the caller, one span, a code and no text."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest
from bedrock_calls import BODIES, HAS_AIOBOTOCORE, client_of
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
)
from error_laws import SECRET, check_cancelled_call, check_errors, check_retries, error_types

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, nothing_listening


def send(client: Any) -> Any:
    return client.invoke_model(**BODIES[0].arguments)


def do_not_wait(seconds: float) -> None: ...


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
    sends = [partial(send, client)] + [partial(run, send)] * HAS_AIOBOTOCORE
    for raised in check_errors(sends, ClientError, code, emission):
        assert isinstance(raised, ClientError)
        assert raised.response.get("Error", {}).get("Code") == code


@pytest.mark.parametrize("mode", ["legacy", "standard"])
@pytest.mark.usefixtures("instrumented")
def test_retries_of_the_sdk_are_inside_one_span(
    mode: str, model: ScriptedModel, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", do_not_wait)  # between the SDK's attempts
    client = client_of(model.base_url, retries={"total_max_attempts": 3, "mode": mode})
    check_retries(lambda: send(client)["body"].read(), model, emission)


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
    check_cancelled_call(run, send, model, emission)


@pytest.mark.usefixtures("instrumented")
def test_what_botocore_refuses_to_send_is_no_call(
    client: Any, model: ScriptedModel, emission: Emission
) -> None:
    with pytest.raises(ParamValidationError):
        client.invoke_model(modelId="m", body=7)
    assert (emission.spans, emission.points(), model.ledger.requests) == ((), {}, 0)
