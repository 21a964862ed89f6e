"""An error of ours at any place costs no span: by way of an SDK and of LiteLLM's own HTTP."""

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


def asked(model: ScriptedModel, name: str, stream: bool, refused: bool) -> Any:
    model.script_by(lambda request: Failure(401) if refused else Response("answer"))
    try:
        answer = litellm.completion(messages=MESSAGES, stream=stream, **route(name, model))
        return len(list(answer)) if stream else answer.choices[0].message.content
    except Exception as error:  # noqa: BLE001  of which each version has another class
        return type(error)


@pytest.mark.parametrize("below", BELOW.values(), ids=BELOW)
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("stream", "refused"), [(False, False), (False, True), (True, False)])
def test_an_error_of_ours_costs_no_span(
    stream: bool, refused: bool, name: str, below: Any, model: ScriptedModel
) -> None:
    def converse() -> Any:
        return asked(model, name, stream, refused)

    assert check_failing_hooks(LiteLLMInstrumentor, converse, *below) > 3
