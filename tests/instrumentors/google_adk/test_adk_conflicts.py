"""The official and OpenInference's instrumentations, started beside ours, add no response."""

from __future__ import annotations

import google_adk_runs as runs
import pytest
from native_conflicts import ConflictLaws
from native_laws import Way


@pytest.fixture(params=["Gemini", "LiteLLM"])
def way(request: pytest.FixtureRequest) -> Way:
    return runs.WAYS[request.param]


@pytest.fixture(
    params=[
        "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
        "opentelemetry.instrumentation.google_genai:GoogleGenAiSdkInstrumentor",
        "openinference.instrumentation.google_genai:GoogleGenAIInstrumentor",
        "openinference.instrumentation.google_adk:GoogleADKInstrumentor",
    ]
)
def conflict(request: pytest.FixtureRequest) -> str:
    return request.param


class TestADK(ConflictLaws):
    """Those of the SDKs, and of ADK itself."""
