"""Requests that fail: the same exception for the caller, one span, the provider's code and no text."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import pytest
from anthropic_calls import SDK
from error_laws import SECRET, ErrorLaws, check_body, error_types

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ScriptedModel


class TestErrors(ErrorLaws):
    """The laws."""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"type": "error", "error": {"type": "overloaded_error"}}, "overloaded_error"),
        ({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}, "RESOURCE_EXHAUSTED"),
        ({"error": {"type": f"No, {SECRET}"}}, "anthropic.InternalServerError"),
    ],
    ids=["anthropic", "vertex", "text"],
)
@pytest.mark.usefixtures("instrumented")
def test_the_code_in_a_body(body: Any, code: str, emission: Emission) -> None:
    check_body(SDK, json.dumps(body), code, emission)


@pytest.mark.usefixtures("instrumented")
def test_amazons_header_has_the_code(
    client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    name = "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/"
    model.script(Failure(500, kind="not a code", headers={"x-amzn-errortype": name}))
    with pytest.raises(anthropic.InternalServerError):
        SDK.send(client)
    assert error_types(emission) == ["ThrottlingException"]
