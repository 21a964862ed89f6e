"""A renamed target is reported."""

from __future__ import annotations

import doctest

from renamed_targets import check_renamed

from otel_agents.instrumentors.google_adk import GoogleADKInstrumentor


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(GoogleADKInstrumentor) in {2, 3}  # 3 since 2.2


def test_the_example_runs() -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(
        GoogleADKInstrumentor, "GoogleADKInstrumentor"
    )
    assert doctest.DocTestRunner().run(example) == (0, 4)
