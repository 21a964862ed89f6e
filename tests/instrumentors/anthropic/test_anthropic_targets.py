"""A renamed target is reported."""

from __future__ import annotations

import doctest

from renamed_targets import check_renamed

from otel_agents.instrumentors.anthropic import AnthropicInstrumentor


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(AnthropicInstrumentor) >= 2


def test_the_example_runs() -> None:
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(AnthropicInstrumentor, "AnthropicInstrumentor")
    assert doctest.DocTestRunner().run(example) == (0, 4)
