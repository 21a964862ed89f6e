"""A renamed target is reported."""

from __future__ import annotations

import doctest

from conversations import OLDEST
from renamed_targets import check_renamed

from otel_agents.instrumentors.ag2_classic import AG2ClassicInstrumentor


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(AG2ClassicInstrumentor) >= (26 if OLDEST else 56)


def test_the_example_of_the_class_runs() -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(
        AG2ClassicInstrumentor, "AG2ClassicInstrumentor"
    )
    assert doctest.DocTestRunner().run(example) == (0, 4)
