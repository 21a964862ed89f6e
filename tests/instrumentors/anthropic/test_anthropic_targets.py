"""A renamed target is reported."""

from __future__ import annotations

import doctest
import sys
from collections.abc import Callable
from typing import Any

from renamed_targets import check_renamed

from otel_agents.instrumentors import Patch
from otel_agents.instrumentors.anthropic import AnthropicInstrumentor


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(AnthropicInstrumentor) >= 2


def test_the_example_runs() -> None:
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(AnthropicInstrumentor, "AnthropicInstrumentor")
    assert doctest.DocTestRunner().run(example) == (0, 4)


def test_uninstrumenting_restores_every_target(instrument: Callable[..., None]) -> None:
    instrumentor = AnthropicInstrumentor()
    before = functions(instrumentor)
    instrument()
    assert len(before) >= 2
    assert all(before[target] is not now for target, now in functions(instrumentor).items())
    instrumentor.uninstrument()
    assert functions(instrumentor) == before


def functions(instrumentor: AnthropicInstrumentor) -> dict[str, Any]:
    """Return the functions of this version that are replaced themselves."""
    rows = [row for row in instrumentor.patches() if not row.subclasses]
    found = {row.target: resolved(row) for row in rows}
    return {target: function for target, function in found.items() if function is not None}


def resolved(row: Patch) -> Any:
    """Return the target of a row; None if this version does not have it."""
    owner: Any = sys.modules.get(row.module)  # the conftest has imported them all
    for name in row.path:
        owner = getattr(owner, name, None)
    return owner
