"""Our error costs no span and raises nothing."""

from __future__ import annotations

from typing import Any

import groq
import pytest
from failing_hooks import check_failing_hooks
from groq_calls import chat

from otel_agents.instrumentors.groq import GroqInstrumentor
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel


@pytest.mark.parametrize(("stream", "refused"), [(False, False), (False, True), (True, False)])
def test_our_error_costs_no_span(
    stream: bool, refused: bool, client: groq.Groq, model: ScriptedModel
) -> None:
    def converse() -> Any:
        model.script_by(lambda request: Failure(401) if refused else Response("answer"))
        try:
            response = chat(client, stream=stream)
            return len(list(response)) if stream else response.choices[0].message.content
        except groq.AuthenticationError as error:
            return type(error)

    assert check_failing_hooks(GroqInstrumentor, converse) > 3
