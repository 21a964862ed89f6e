"""The official instrumentation of the SDK, started beside ours, adds no response."""

from __future__ import annotations

import agent_framework_runs as runs
import pytest
from native_conflicts import check_counted_once
from native_emission import NativeEmission
from native_laws import Way

from otel_agents.testing.scripted_model import ScriptedModel

OFFICIAL = "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor"


@pytest.mark.parametrize("way", runs.WAYS.values(), ids=runs.WAYS)
def test_each_response_is_counted_once(
    way: Way, native: NativeEmission, model: ScriptedModel
) -> None:
    check_counted_once(way, OFFICIAL, native, model)
