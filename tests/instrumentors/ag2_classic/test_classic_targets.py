"""A renamed target is reported."""

from __future__ import annotations

from conversations import OLDEST
from renamed_targets import check_renamed

from otel_agents.instrumentors.ag2_classic import AG2ClassicInstrumentor


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(AG2ClassicInstrumentor) >= (26 if OLDEST else 56)
