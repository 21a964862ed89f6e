"""A renamed target is reported."""

from __future__ import annotations

import doctest

from renamed_targets import check_renamed

from otel_agents.instrumentors.agent_framework import AgentFrameworkInstrumentor


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(AgentFrameworkInstrumentor) in {3, 5}  # 5 before 1.3


def test_the_example_runs() -> None:
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(AgentFrameworkInstrumentor, "AgentFrameworkInstrumentor")
    assert doctest.DocTestRunner().run(example) == (0, 4)
