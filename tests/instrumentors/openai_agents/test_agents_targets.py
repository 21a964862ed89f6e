"""A target that is missing from a version that should have it is reported."""

from __future__ import annotations

import doctest

from openai_agents_runs import VERSION
from packaging.version import Version
from renamed_targets import check_renamed

from otel_agents.instrumentors.openai_agents import OpenAIAgentsInstrumentor


def test_a_renamed_target_is_reported() -> None:
    count = check_renamed(OpenAIAgentsInstrumentor)
    assert count == (29 if Version("0.9") <= VERSION else 23)


def test_the_example_runs() -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(
        OpenAIAgentsInstrumentor, "OpenAIAgentsInstrumentor"
    )
    assert doctest.DocTestRunner().run(example) == (0, 4)
