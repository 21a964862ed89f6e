"""What we set on the span of a library that claims its call passes the redaction hook once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from foreign_spans import CAPTURE, foreign
from opentelemetry.context import Context
from opentelemetry.trace import set_span_in_context

from otel_agents.instrumentors import Inference, Telemetry
from otel_agents.instrumentors._core.context.claims import ForeignClaim, ForeignLibrary
from otel_agents.instrumentors._core.context.ownership import open_foreign_claim
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv.values import Operation
from otel_agents.testing.emission import Emission

SCOPE = "agent_framework"
HOOK = {"OTEL_AGENTS_REDACTION_HOOK": f"{__name__}:numbered"}
SEEN: list[str] = []


def messages(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "parts": [{"type": "text", "content": text}]}]


def numbered(kind: str, value: Any) -> Any:
    """Redact in a way that shows how often a value has passed."""
    SEEN.append(kind)
    return json.loads(json.dumps(value).replace("hello", "hello, hello"))


@pytest.fixture
def emission() -> Emission:
    return Emission()


@pytest.mark.parametrize("limit", [None, 400])
def test_content_of_a_claimed_call_is_redacted_once(limit: int | None, emission: Emission) -> None:
    SEEN.clear()
    telemetry = Telemetry(
        "toy", settings=Settings.read({CAPTURE: "SPAN_ONLY", **HOOK}), **emission.providers
    )
    span = emission.tracer_provider.get_tracer(SCOPE).start_span(
        "chat m",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.output.messages": json.dumps(messages("hello")),
        },
    )
    claim = ForeignClaim(ForeignLibrary((SCOPE,)), span=span)
    parent = open_foreign_claim(claim, set_span_in_context(span, Context()))
    call = Inference(telemetry, Operation.CHAT, "toy", "m", None, parent=parent)
    call.content.input_messages = messages("hello" + "!" * 1000)
    call.end()
    span.end()
    variables = {} if limit is None else {"OTEL_AGENTS_CONTENT_MAX_BYTES": str(limit)}
    made = foreign("SPAN_ONLY", **HOOK, **variables).span(emission.spans[0]).attributes or {}
    assert SEEN == ["input_messages", "output_messages"]
    for name in ("gen_ai.input.messages", "gen_ai.output.messages"):
        text = str(made[name])
        assert text.count("hello") == 2
        assert json.loads(text)[0]["role"] == "user"
        assert len(text) <= (limit or len(text))
    emission.close()
