"""An error inside a response that raises nothing is an error of the span."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from litellm_calls import MESSAGES, VERSION, litellm, route
from opentelemetry.trace import StatusCode

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ErrorEvent, Response, ScriptedModel


def recorded(emission: Emission) -> tuple[Any, ...]:
    finalization.drain(5)
    attributes = dict(emission.span.attributes or {})
    ((measured, _),) = emission.points()["gen_ai.client.operation.duration"]
    return (
        emission.span.status.status_code,
        attributes.get("error.type"),
        attributes.get("otel_agents.stream.abandoned"),
        measured.get("error.type"),
    )


def expected(kind: str) -> tuple[Any, ...]:
    return StatusCode.ERROR, kind, None, kind


def test_an_error_event_over_the_sdk_is_the_error_of_its_stream(
    model: ScriptedModel, emission: Emission, instrument: Any
) -> None:
    instrument()
    model.script(Response("one two three", fault=ErrorEvent(2)))
    with contextlib.suppress(Exception):  # which one depends on the version of LiteLLM
        arguments = route("openai/gpt-4o-mini", model)
        list(litellm.completion(messages=MESSAGES, stream=True, **arguments))
    assert recorded(emission) == expected("openai.APIError")


if VERSION >= (1, 110):
    RESPONSES = {
        "whole": (Response("Hi", finish_reason="error"), False),
        "stream": (Response("Hi", finish_reason="error"), True),
        "event": (Response("one two three", fault=ErrorEvent(4)), True),
    }

    @pytest.mark.parametrize(("scripted", "stream"), RESPONSES.values(), ids=RESPONSES)
    @pytest.mark.usefixtures("instrumented", "run")
    def test_a_response_that_fails_is_an_error(
        scripted: Response, stream: bool, model: ScriptedModel, emission: Emission
    ) -> None:
        model.script(scripted)
        with contextlib.suppress(Exception):  # LiteLLM raises for some, in some versions
            request = {"input": "Hi", "stream": stream, **route("openai/gpt-4o-mini", model)}
            response = litellm.responses(**request)
            if stream:
                list(response)
        status, kind, abandoned, measured = recorded(emission)
        assert (status, abandoned) == (StatusCode.ERROR, None)
        assert kind is not None
        assert kind == measured
