"""A renamed target is reported."""

from __future__ import annotations

import doctest
from collections.abc import Iterable

from renamed_targets import check_renamed

from otel_agents.instrumentors._core.patching.patches import Row
from otel_agents.instrumentors.pydantic_ai import PydanticAIInstrumentor


class _Claiming(PydanticAIInstrumentor):
    """The targets of model calls: what enables the telemetry changes the library."""

    _instance = None  # else it would be that of the instrumentor itself, if there is one

    def patches(self) -> Iterable[Row]:
        from otel_agents.instrumentors.pydantic_ai import _claims

        return _claims.rows()


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(_Claiming) in {2, 3, 4}  # 4 with embeddings, which it has since 1.39


def test_the_example_runs() -> None:
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(PydanticAIInstrumentor, "PydanticAIInstrumentor")
    assert doctest.DocTestRunner().run(example) == (0, 4)
