"""A target that is missing from a version that should have it is reported."""

from __future__ import annotations

import doctest

from renamed_targets import check_renamed

from otel_agents.instrumentors.dspy import DSPyInstrumentor


def test_a_renamed_target_is_reported() -> None:
    assert check_renamed(DSPyInstrumentor) > 12


def test_the_example_runs() -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(DSPyInstrumentor, "DSPyInstrumentor")
    assert doctest.DocTestRunner().run(example) == (0, 4)
