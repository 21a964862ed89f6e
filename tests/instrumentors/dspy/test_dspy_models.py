"""Models: one response, one span, by whatever layer sends the request; none for a cached one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dspy_programs import CHAT, VERSION, Reply, dspy, fields, lm
from opentelemetry.trace import SpanKind, StatusCode
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ScriptedModel

RETRIES = Version("2.5.30") < VERSION


def chats(emission: Emission) -> list[dict[str, Any]]:
    return [dict(span.attributes or {}) for span in emission.spans if span.name == CHAT]


def tokens(emission: Emission) -> list[tuple[Any, Any]]:
    return [
        (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"])
        for found in chats(emission)
    ]


def billed(model: ScriptedModel) -> list[tuple[int, int]]:
    return [(one.input_tokens, one.output_tokens) for one in model.ledger.entries]


@pytest.mark.parametrize("sdk", [True, False])
def test_a_response_is_one_span(
    sdk: bool, instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument(sdk=sdk)
    assert lm(model)("Hi") == ["It is sunny."] or model.ledger.requests == 1
    if sdk or Version("3.4") <= VERSION or Version("2.6.20") <= VERSION:
        assert tokens(emission) == billed(model)
        assert emission.span.kind is SpanKind.CLIENT


def test_a_cached_response_is_no_call(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument()
    cached = lm(model, cache=True, temperature=0.31)
    for _ in range(2):
        cached("Is it cached?")
    assert len(emission.spans) == len(model.ledger.entries) == 1
    assert tokens(emission) == billed(model)


def test_several_choices_have_what_was_billed(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument()
    assert len(lm(model, temperature=0.7)("Hi", n=2)) == 2
    assert tokens(emission) == billed(model)


def test_an_error_is_one_span(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument()
    # Before 3.3 an adapter sends again in another format, whatever the error was.
    model.script(*(Failure(400, message="secret") for _ in range(3)))
    with pytest.raises(Exception, match=r"400|secret"):
        dspy.Predict(Reply)(topic="q")
    spans = [span for span in emission.spans if span.name == CHAT]
    assert [span.status.status_code for span in spans] == [StatusCode.ERROR] * len(spans)
    assert len(spans) == model.ledger.requests
    assert "secret" not in emission.texts()


def test_a_secret_is_not_recorded(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument(OTEL_AGENTS_METRICS="both", OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT="true")
    model.script(fields(reply="planted-secret"))
    dspy.Predict(Reply)(topic="planted-secret")
    assert emission.tree() == ["invoke_workflow Reply", f"  {CHAT}"]
    assert "planted-secret" not in emission.texts()
