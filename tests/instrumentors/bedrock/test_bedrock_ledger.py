"""Law 3 for every way to send a request: the spans have the billed tokens, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bedrock_calls import ways

from otel_agents.instrumentors.bedrock import BedrockInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

WAYS = [pytest.param(*row[1:], id=row[0]) for row in ways()]


@pytest.mark.parametrize(("way", "streamed"), WAYS)
@pytest.mark.usefixtures("instrumented")
def test_the_span_has_the_billed_tokens(
    way: Callable[[str], None], streamed: bool, model: ScriptedModel, emission: Emission
) -> None:
    model.script("The first response has no cached tokens.")
    for _ in range(2):
        way(model.base_url)
    ledger = model.ledger
    assert ledger.requests == len(emission.spans) == 2
    for span, entry in zip(emission.spans, ledger.entries, strict=True):
        attributes = dict(span.attributes or {})
        assert attributes["gen_ai.usage.input_tokens"] == entry.input_tokens > 0
        assert attributes["gen_ai.usage.output_tokens"] == entry.output_tokens > 0
        assert attributes.get("gen_ai.request.stream", False) is streamed
        assert attributes["gen_ai.response.id"] == entry.response_id
        assert "otel_agents.stream.abandoned" not in attributes
    usage = dict(emission.points())["gen_ai.client.token.usage"]
    assert sum(value for _, value in usage) == ledger.input_tokens + ledger.bill.output_tokens


@pytest.mark.parametrize(("way", "streamed"), WAYS[-1:])
@pytest.mark.usefixtures("instrumented")
def test_after_uninstrumenting_nothing_is_recorded(
    way: Callable[[str], None], streamed: bool, model: ScriptedModel, emission: Emission
) -> None:
    BedrockInstrumentor().uninstrument()
    way(model.base_url)
    assert (emission.spans, model.ledger.requests) == ((), 1)
