"""The official and OpenInference's instrumentations, started beside ours, add no response."""

from __future__ import annotations

import google_adk_runs as runs
import pytest
from native_conflicts import check_counted_once
from native_emission import NativeEmission

from otel_agents.testing.scripted_model import ScriptedModel


@pytest.mark.parametrize("way", ["Gemini", "LiteLLM"])
@pytest.mark.parametrize(
    "conflict",
    [
        "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
        "opentelemetry.instrumentation.google_genai:GoogleGenAiSdkInstrumentor",
        "openinference.instrumentation.google_genai:GoogleGenAIInstrumentor",
        "openinference.instrumentation.google_adk:GoogleADKInstrumentor",
    ],
)
def test_each_response_is_counted_once(
    conflict: str, way: str, native: NativeEmission, model: ScriptedModel
) -> None:
    check_counted_once(runs.WAYS[way], conflict, native, model)
