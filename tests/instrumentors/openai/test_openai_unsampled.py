"""A chat whose span is not recorded: what still takes its usage gets it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

from otel_agents.instrumentors import InvokeAgent, Telemetry
from otel_agents.instrumentors._core.context.claims import ForeignClaim, ForeignLibrary
from otel_agents.instrumentors._core.context.ownership import open_foreign_claim
from otel_agents.instrumentors._dialects.openai.chat import CHAT
from otel_agents.instrumentors._dialects.openai.generation import Generation
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission

BODY: dict[str, Any] = {"model": "toy-1", "messages": [{"role": "user", "content": "hi"}]}
RESPONSE: dict[str, Any] = {
    "id": "r1",
    "model": "toy-1.0",
    "choices": [{"index": 0, "message": {"content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
}
REPORTED: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "toy-1",
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.response.id": "r1",
    "gen_ai.response.model": "toy-1.0",
    "gen_ai.usage.input_tokens": 3,
    "gen_ai.usage.output_tokens": 4,
}


def started(telemetry: Telemetry, parent: Context) -> Generation:
    options: Any = {"parent": parent, "provider_is_guess": False}
    return Generation(telemetry, CHAT, BODY, "openai", None, **options)


def respond(chat: Generation) -> None:
    chat.respond(SimpleNamespace(**RESPONSE))
    chat.end()


def without_metrics(emission: Emission) -> Telemetry:
    return Telemetry(
        "toy", settings=Settings.read({}), tracer_provider=emission.providers["tracer_provider"]
    )


def test_the_metrics_of_a_chat_that_is_not_sampled_have_its_tokens() -> None:
    emission = Emission(ALWAYS_OFF)
    telemetry = Telemetry("toy", settings=Settings.read({}), **emission.providers)
    respond(started(telemetry, Context()))
    points = emission.points()["gen_ai.client.token.usage"]
    assert [number for _, number in points] == [3, 4]
    assert emission.names == []
    emission.close()


def test_a_span_that_starts_after_all_has_the_usage() -> None:
    """Of two chats within a span of a library, which is not sampled, the later is ours."""
    emission = Emission(ALWAYS_ON)  # whatever the parent is
    telemetry = without_metrics(emission)
    tracer = emission.tracer_provider.get_tracer("house")
    claim = ForeignClaim(ForeignLibrary(("house",)), tracer=tracer)
    span = NonRecordingSpan(SpanContext(1, 2, is_remote=False))
    claim.notice(span)
    within = open_foreign_claim(claim, set_span_in_context(span, Context()))
    first, later = started(telemetry, within), started(telemetry, within)
    respond(first)
    respond(later)
    (ours,) = emission.spans
    assert {name: (ours.attributes or {}).get(name) for name in REPORTED} == REPORTED
    emission.close()


def test_an_agent_that_is_sampled_sums_the_usage_of_a_chat_that_is_not() -> None:
    emission, unsampled = Emission(), Emission(ALWAYS_OFF)
    agent = InvokeAgent(without_metrics(emission), "planner")
    respond(started(without_metrics(unsampled), agent.context))
    agent.end()
    (span,) = emission.spans
    found = span.attributes or {}
    used = [found[f"gen_ai.usage.{kind}_tokens"] for kind in ("input", "output")]
    assert used == [3, 4]
    emission.close()
    unsampled.close()
