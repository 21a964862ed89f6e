"""Law 3 for every way to ask through LiteLLM: the spans are what the provider billed, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from litellm_calls import QUESTIONS, Question

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, model: ScriptedModel, run: Any) -> Callable[..., Any]:
    """Asks a question by the function or by its asynchronous twin."""

    def asking(question: Question) -> Any:
        if request.param == "sync":
            return question.ask(model)
        return run(lambda: question.ask_async(model))

    return asking


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
@pytest.mark.usefixtures("instrumented")
def test_the_span_is_the_bill(
    question: Question, ask: Callable[..., Any], model: ScriptedModel, emission: Emission
) -> None:
    ask(question)
    attributes = dict(emission.span.attributes or {})
    (entry,) = model.ledger.entries
    assert attributes.get("gen_ai.usage.input_tokens", 0) == entry.input_tokens
    assert attributes.get("gen_ai.usage.output_tokens", 0) == entry.output_tokens
    assert attributes.get("gen_ai.request.stream", False) is question.streamed
    assert attributes.get("gen_ai.response.id") in (None, entry.response_id)
    assert (attributes["server.address"], attributes["server.port"]) == ("127.0.0.1", model.port)
    assert "otel_agents.stream.abandoned" not in attributes
    usage = dict(emission.points()).get("gen_ai.client.token.usage", [])
    assert sum(value for _, value in usage) == entry.input_tokens + entry.output_tokens
