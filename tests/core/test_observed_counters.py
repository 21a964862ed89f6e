"""Observed counters: one per metric, shared by all that add to it, and bounded."""

from __future__ import annotations

from otel_agents.instrumentors import Inference, Telemetry
from otel_agents.instrumentors._core.telemetry.metrics import ObservedCounter
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv import metrics
from otel_agents.semconv.values import Operation
from otel_agents.testing.emission import Emission

POINT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.token.modality": "text",
}
TOKENS = "gen_ai.client.inference.usage.input_tokens"


def test_two_instrumentors_of_one_scope_share_a_counter(emission: Emission) -> None:
    """Such as one that was instrumented, uninstrumented and instrumented again."""
    for _ in range(2):
        settings = Settings.read({"OTEL_AGENTS_METRICS": "latest"})
        telemetry = Telemetry("toy", settings=settings, **emission.providers)
        call = Inference(telemetry, Operation.CHAT, "openai", "m", ("h", 1))
        call.response_id, call.response_model = "r1", "m"
        call.input_tokens, call.output_tokens, call.finish_reasons = 10, 1, ("stop",)
        call.end()
    assert [value for _, value in emission.points()[TOKENS]] == [20]


def test_beyond_its_limit_a_counter_uses_the_overflow_set() -> None:
    emission = Emission()  # no conformance check: the overflow set has none of the attributes
    meter = emission.meter_provider.get_meter("toy")
    sums = ObservedCounter(meter, metrics.GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS, limit=2)
    for model in ("m0", "m1", "m2", "m3", "m4", "m0"):
        sums.add(1, {**POINT, "gen_ai.request.model": model})
    points = emission.points()[TOKENS]
    emission.close()
    assert [(attributes.get("gen_ai.request.model"), value) for attributes, value in points] == [
        ("m0", 2),
        ("m1", 1),
        (None, 3),
    ]
    assert points[2][0] == {"otel.metric.overflow": True}
