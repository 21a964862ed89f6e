"""Requests that fail: the same exception for the caller, one span, the provider's code and no text."""

from __future__ import annotations

import json
from typing import Any

import groq
import pytest
from error_laws import SECRET, ErrorLaws, check_body, error_types
from groq_calls import SDK

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ScriptedModel


class TestErrors(ErrorLaws):
    """The laws for chat."""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": "rate_limit_exceeded", "type": "tokens"}, "rate_limit_exceeded"),
        ({"code": f"No, {SECRET}", "type": "tokens"}, "tokens"),
        ({"code": None, "type": "tokens"}, "tokens"),
        ({"code": f"No, {SECRET}", "type": f"No, {SECRET}"}, "groq.InternalServerError"),
    ],
)
@pytest.mark.usefixtures("instrumented")
def test_the_code_in_a_body(error: Any, code: str, emission: Emission) -> None:
    check_body(SDK, json.dumps({"error": error}), code, emission)


@pytest.mark.usefixtures("instrumented")
def test_embeddings_that_fail(client: groq.Groq, model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(500, message=SECRET))
    with pytest.raises(groq.InternalServerError):
        client.embeddings.create(model="m", input="p")
    assert error_types(emission) == ["server_error"]
    assert SECRET not in emission.texts()
