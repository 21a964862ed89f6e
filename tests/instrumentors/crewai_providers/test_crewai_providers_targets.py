"""A target that CrewAI's own model classes should have and have not is reported."""

from __future__ import annotations

from renamed_targets import check_renamed

from otel_agents.instrumentors.crewai import CrewAIInstrumentor


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(CrewAIInstrumentor) == 70
