"""Our error in any hook costs no span, over an SDK and over LiteLLM's own HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from failing_hooks import check_failing_hooks
from litellm_calls import MESSAGES, litellm, route

from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel

BELOW = {"openai on": (OpenAIInstrumentor,), "openai off": ()}
MODELS = ("openai/gpt-4o-mini", "anthropic/claude-3-haiku-20240307")


def outcome(model: ScriptedModel, name: str, stream: bool, refused: bool) -> Any:
    model.script_by(lambda request: Failure(401) if refused else Response("answer"))
    try:
        response = litellm.completion(messages=MESSAGES, stream=stream, **route(name, model))
        return len(list(response)) if stream else response.choices[0].message.content
    except Exception as error:  # noqa: BLE001  of which each version has another class
        return type(error)


@pytest.mark.parametrize("below", BELOW.values(), ids=BELOW)
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("stream", "refused"), [(False, False), (False, True), (True, False)])
def test_our_error_costs_no_span(
    stream: bool, refused: bool, name: str, below: Any, model: ScriptedModel
) -> None:
    def converse() -> Any:
        return outcome(model, name, stream, refused)

    assert check_failing_hooks(LiteLLMInstrumentor, converse, *below) > 3
