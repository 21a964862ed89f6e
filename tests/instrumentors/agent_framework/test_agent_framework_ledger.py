"""Each response is one span, of the framework, whatever is sampled."""

from __future__ import annotations

import agent_framework_runs as runs
import pytest
from native_emission import NativeEmission
from native_laws import NativeLaws, Way, check_broken, check_embedded, check_left

from otel_agents.testing.scripted_model import ScriptedModel


@pytest.fixture(params=runs.WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return runs.WAYS[request.param]


class TestAgentFramework(NativeLaws):
    scope = "agent_framework"
    completed = (*("gen_ai.provider.name", "gen_ai.response.id"), "gen_ai.response.model")


def test_a_stream_that_breaks_is_one_failed_attempt(
    native: NativeEmission, model: ScriptedModel
) -> None:
    check_broken(runs.streamed, native, model)


def test_a_stream_that_is_left_is_one_span(native: NativeEmission, model: ScriptedModel) -> None:
    check_left(runs.left, "agent_framework", native, model)


def test_embeddings_are_one_span(native: NativeEmission, model: ScriptedModel) -> None:
    check_embedded(runs.embedded, "agent_framework", native, model)
