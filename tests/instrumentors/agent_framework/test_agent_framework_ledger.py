"""Each response is one span, of the framework, whatever is sampled."""

from __future__ import annotations

import agent_framework_runs as runs
from native_emission import NativeEmission
from native_laws import NativeLaws, StreamLaws, check_embedded

from otel_agents.testing.scripted_model import ScriptedModel


class TestAgentFramework(NativeLaws):
    scope = "agent_framework"
    completed = (*("gen_ai.provider.name", "gen_ai.response.id"), "gen_ai.response.model")


class TestStreams(StreamLaws):
    scope = "agent_framework"
    streamed = runs.streamed
    left = runs.left


def test_embeddings_are_one_span(native: NativeEmission, model: ScriptedModel) -> None:
    check_embedded(runs.embedded, "agent_framework", native, model)
