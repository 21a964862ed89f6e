"""Our error costs no span and raises nothing."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
from failing_hooks import check_failing_hooks

from otel_agents.instrumentors.anthropic import AnthropicInstrumentor
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel


@pytest.mark.parametrize(("stream", "refused"), [(False, False), (False, True), (True, False)])
def test_our_error_costs_no_span(
    stream: bool, refused: bool, client: anthropic.Anthropic, model: ScriptedModel
) -> None:
    def converse() -> Any:
        model.script_by(lambda request: Failure(401) if refused else Response("answer"))
        request: Any = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        try:
            sent: Any = client.messages.create(max_tokens=9, stream=stream, **request)
            return len(list(sent)) if stream else sent.content[0].text
        except anthropic.AuthenticationError as error:
            return type(error)

    assert check_failing_hooks(AnthropicInstrumentor, converse) > 3
