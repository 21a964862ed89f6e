"""Prompt variables: one attribute each, all strings, within the budget."""

from __future__ import annotations

from typing import Any

from contents import on_event, on_span

from otel_agents.instrumentors._core.telemetry.gate import Gate
from otel_agents.instrumentors.settings import Settings

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def attributes(variables: dict[str, Any], **environ: str) -> dict[str, Any]:
    gate = Gate(Settings.read({CAPTURE: "SPAN_AND_EVENT", **environ}))
    attributes = on_span(gate, prompt_variables=variables)
    assert on_event(gate, prompt_variables=variables) == attributes
    return attributes


def test_each_variable_is_a_string_attribute() -> None:
    assert attributes({"city": "Bern", "days": 3, "map": {"zoom": 1}}) == {
        "gen_ai.prompt.variable.city": "Bern",
        "gen_ai.prompt.variable.days": "3",
        "gen_ai.prompt.variable.map": '{"zoom":1}',
    }


def test_variables_beyond_the_budget_are_truncated_and_marked() -> None:
    assert attributes({"a": "x" * 60, "b": "y" * 60}, OTEL_AGENTS_CONTENT_MAX_BYTES="100") == {
        "gen_ai.prompt.variable.a": "x" * 60,
        "otel_agents.content.truncated": ("gen_ai.prompt.variable.b",),
        "otel_agents.content.original_bytes": 60,
    }
