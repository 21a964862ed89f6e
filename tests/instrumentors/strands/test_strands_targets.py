"""A renamed target is reported."""

from __future__ import annotations

import doctest

from renamed_targets import check_renamed

from otel_agents.instrumentors.strands import StrandsInstrumentor


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(StrandsInstrumentor) == 3


def test_the_example_runs() -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(
        StrandsInstrumentor, "StrandsInstrumentor"
    )
    assert doctest.DocTestRunner().run(example) == (0, 4)
