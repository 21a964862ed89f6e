"""A target that is missing from a version that should have it is reported."""

from __future__ import annotations

import doctest

from renamed_targets import check_renamed

from otel_agents.instrumentors.llama_index import LlamaIndexInstrumentor


def test_a_renamed_target_is_reported() -> None:
    assert check_renamed(LlamaIndexInstrumentor) > 15


def test_the_example_runs() -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(
        LlamaIndexInstrumentor, "LlamaIndexInstrumentor"
    )
    assert doctest.DocTestRunner().run(example) == (0, 4)
