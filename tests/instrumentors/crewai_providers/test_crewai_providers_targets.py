"""A target that is missing from CrewAI's own model classes is reported."""

from __future__ import annotations

from renamed_targets import check_renamed

from otel_agents.instrumentors.crewai import CrewAIInstrumentor


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(CrewAIInstrumentor) == 56
