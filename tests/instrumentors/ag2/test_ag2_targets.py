"""A renamed target is reported."""

from __future__ import annotations

import doctest

from renamed_targets import check_renamed

from otel_agents.instrumentors.ag2 import AG2Instrumentor


def test_a_renamed_target_is_reported() -> None:
    assert check_renamed(AG2Instrumentor) == 14


def test_the_example_of_the_class_runs() -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(AG2Instrumentor, "AG2Instrumentor")
    assert doctest.DocTestRunner().run(example) == (0, 4)
