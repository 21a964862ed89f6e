"""Law 3 for every way to call the SDK: the spans have the billed tokens, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google_calls import CALLS, TIMES, Call, plain, ways

from otel_agents.instrumentors.google_genai import GoogleGenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

each_way = pytest.mark.parametrize(
    ("way", "call"), [pytest.param(*row[1:], id=row[0]) for row in ways()]
)
Way = Callable[[Call, str], None]


@each_way
@pytest.mark.usefixtures("instrumented")
def test_the_span_has_the_billed_tokens(
    way: Way, call: Call, model: ScriptedModel, emission: Emission
) -> None:
    way(call, model.base_url)
    ledger = model.ledger
    spans = [dict(span.attributes or {}) for span in emission.spans]
    inputs, outputs = (
        [span.get(f"gen_ai.usage.{side}_tokens", 0) for span in spans]
        for side in ("input", "output")
    )
    assert inputs == [entry.input_tokens for entry in ledger.entries]
    assert outputs == [entry.output_tokens for entry in ledger.entries]
    assert len(inputs) == TIMES
    assert [span.get("gen_ai.request.stream", False) for span in spans] == [call.streams] * TIMES
    assert not [span for span in spans if "otel_agents.stream.abandoned" in span]
    provider = "gcp.vertex_ai" if call.vertexai else "gcp.gemini"
    assert [span["gen_ai.provider.name"] for span in spans] == [provider] * TIMES
    usage = dict(emission.points())["gen_ai.client.token.usage"]
    assert sum(value for _, value in usage) == ledger.input_tokens + ledger.output_tokens


@pytest.mark.parametrize("call", CALLS[:3], ids=lambda call: call.name)
def test_after_uninstrumenting_nothing_is_recorded(
    call: Call, model: ScriptedModel, emission: Emission, instrument: Callable[..., None]
) -> None:
    instrument()
    GoogleGenAIInstrumentor().uninstrument()
    plain(call, model.base_url)
    assert emission.spans == ()
    assert model.ledger.requests == TIMES
