"""Law 3 for every way to call the SDK: the spans have the billed tokens, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from anthropic_calls import Call, ways

from otel_agents.instrumentors.anthropic import AnthropicInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, Usage

WAYS = [pytest.param(*row[1:], id=row[0]) for row in ways()]
USAGE = Usage(100, 20, cached_tokens=30, cache_write_tokens=5, reasoning_tokens=7)


@pytest.mark.parametrize(("way", "call", "streamed"), WAYS)
@pytest.mark.usefixtures("instrumented")
def test_the_span_has_the_billed_tokens(
    way: Callable[[Call, str], None],
    call: Call,
    streamed: bool,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(Response("Paris.", usage=USAGE))
    way(call, model.base_url)
    attributes = dict(emission.span.attributes or {})
    ledger = model.ledger
    assert (ledger.requests, ledger.input_tokens, ledger.output_tokens) == (1, 100, 20)
    usage = {
        name.removeprefix("gen_ai.usage."): value
        for name, value in attributes.items()
        if name.startswith("gen_ai.usage.")
    }
    assert usage == {
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read.input_tokens": 30,
        "cache_write.input_tokens": 5,
        "reasoning.output_tokens": 7,
    }
    assert attributes.get("gen_ai.request.stream", False) is streamed
    assert "otel_agents.stream.abandoned" not in attributes
    recorded = dict(emission.points())["gen_ai.client.token.usage"]
    assert sum(value for _, value in recorded) == 120


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

    if "helper" in way.__name__:
        pytest.skip("binds nothing")
    way(Before(call.name, call.method, call.arguments), model.base_url)
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
    instrument()
    AnthropicInstrumentor().uninstrument()
    way(call, model.base_url)
    assert emission.spans == ()
    assert model.ledger.requests == 1
