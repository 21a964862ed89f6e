"""Requests that fail: the same exception for the caller, one span, a type and no text."""

from __future__ import annotations

import groq
import pytest
from error_laws import SECRET, ErrorLaws, error_types

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ScriptedModel


class TestErrors(ErrorLaws):
    """The laws for chat."""


@pytest.mark.usefixtures("instrumented")
def test_embeddings_that_fail(client: groq.Groq, model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(500, message=SECRET))
    with pytest.raises(groq.InternalServerError):
        client.embeddings.create(model="m", input="p")
    assert error_types(emission) == ["groq.InternalServerError"]
    assert SECRET not in emission.texts()
