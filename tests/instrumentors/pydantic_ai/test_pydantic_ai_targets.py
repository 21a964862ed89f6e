"""A renamed target is reported."""

from __future__ import annotations

import doctest

from renamed_targets import check_renamed

from otel_agents.instrumentors.pydantic_ai import PydanticAIInstrumentor


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(PydanticAIInstrumentor) == 3


def test_the_example_runs() -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(PydanticAIInstrumentor, "PydanticAIInstrumentor")
    assert doctest.DocTestRunner().run(example) == (0, 4)
