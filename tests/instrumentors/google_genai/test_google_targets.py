"""A renamed target is reported."""

from __future__ import annotations

import doctest

from google_calls import VERSION
from renamed_targets import check_renamed

from otel_agents.instrumentors.google_genai import GoogleGenAIInstrumentor


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(GoogleGenAIInstrumentor) == (35 if VERSION >= (1, 64) else 26)


def test_the_example_runs() -> None:
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(GoogleGenAIInstrumentor, "GoogleGenAIInstrumentor")
    assert doctest.DocTestRunner().run(example) == (0, 4)
