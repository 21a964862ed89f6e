"""Each response is one span, of ADK, with Gemini and with LiteLLM."""

from __future__ import annotations

import google_adk_runs as runs
import pytest
from native_emission import NativeEmission
from native_laws import NativeLaws, Way, check_left

from otel_agents.testing.scripted_model import ScriptedModel

SCOPE = "gcp.vertex.agent"


@pytest.fixture(params=runs.WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return runs.WAYS[request.param]


class TestADK(NativeLaws):
    scope = SCOPE
    completed = ()  # ADK ends the span of a stream of Gemini before we know more


def test_a_stream_that_is_left_is_one_span(native: NativeEmission, model: ScriptedModel) -> None:
    check_left(runs.left, SCOPE, native, model)
