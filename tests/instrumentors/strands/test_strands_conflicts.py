"""The official and OpenInference's instrumentations of the SDK, started beside ours, add no response."""

from __future__ import annotations

import pytest
import strands_runs as runs
from native_conflicts import check_counted_once
from native_emission import NativeEmission
from native_laws import Way

from otel_agents.testing.scripted_model import ScriptedModel

CONFLICTS = {
    "official": "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
    "OpenInference": "openinference.instrumentation.openai:OpenAIInstrumentor",
}


@pytest.mark.parametrize("conflict", CONFLICTS.values(), ids=CONFLICTS)
@pytest.mark.parametrize("way", runs.WAYS.values(), ids=runs.WAYS)
def test_each_response_is_counted_once(
    way: Way, conflict: str, native: NativeEmission, model: ScriptedModel
) -> None:
    check_counted_once(way, conflict, native, model)
