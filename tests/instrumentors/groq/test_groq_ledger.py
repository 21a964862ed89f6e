"""Law 3 for every way to call the SDK: the spans have the billed tokens, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from groq_calls import Call, ways

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

WAYS = [pytest.param(*row[1:], id=row[0]) for row in ways()]


@pytest.mark.parametrize(("way", "call", "streamed"), WAYS)
@pytest.mark.usefixtures("instrumented")
def test_the_span_has_the_billed_tokens(
    way: Callable[[Call, str], None],
    call: Call,
    streamed: bool,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    way(call, model.groq_url)
    attributes = dict(emission.span.attributes or {})
    ledger = model.ledger
    assert ledger.requests == 1
    assert attributes["gen_ai.usage.input_tokens"] == ledger.input_tokens
    assert attributes.get("gen_ai.usage.output_tokens", 0) == ledger.output_tokens
    assert attributes.get("gen_ai.request.stream", False) is streamed
    assert "otel_agents.stream.abandoned" not in attributes
    usage = dict(emission.points())["gen_ai.client.token.usage"]
    assert sum(value for _, value in usage) == ledger.input_tokens + ledger.output_tokens


@pytest.mark.parametrize(("way", "call", "streamed"), WAYS)
def test_a_client_used_before_instrumenting_is_recorded(
    way: Callable[[Call, str], None],
    call: Call,
    streamed: bool,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    """`with_raw_response` and its like bind the methods at their first use."""

    class Before(Call):
        def of(self, client: object, *between: str) -> Callable[..., object]:
            kept = call.of(client, *between)
            instrument()
            return kept

    way(Before(call.name, call.method, call.arguments), model.groq_url)
    assert len(emission.spans) == model.ledger.requests == 1


@pytest.mark.parametrize(("way", "call", "streamed"), WAYS)
def test_after_uninstrumenting_nothing_is_recorded(
    way: Callable[[Call, str], None],
    call: Call,
    streamed: bool,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    from otel_agents.instrumentors.groq import GroqInstrumentor

    instrument()

    class After(Call):
        def of(self, client: object, *between: str) -> Callable[..., object]:
            kept = call.of(client, *between)
            GroqInstrumentor().uninstrument()
            return kept

    way(After(call.name, call.method, call.arguments), model.groq_url)
    assert emission.spans == ()
    assert model.ledger.requests == 1
