"""A renamed target is reported."""

from __future__ import annotations

from renamed_targets import check_renamed

from otel_agents.instrumentors.openai import OpenAIInstrumentor


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(OpenAIInstrumentor) == 2
