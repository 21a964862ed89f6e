"""A renamed target is reported."""

from __future__ import annotations

from renamed_targets import check_renamed

from otel_agents.instrumentors.ag2 import AG2Instrumentor


def test_a_renamed_target_is_reported() -> None:
    assert check_renamed(AG2Instrumentor) == 14
