"""The examples of the module run."""

from __future__ import annotations

import doctest

import pytest

from otel_agents import api
from otel_agents.testing.emission import Emission


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize(
    "name", [it for it in api.__all__ if ">>>" in (vars(api)[it].__doc__ or "")]
)
def test_the_example_of_each_function_runs(name: str, emission: Emission) -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(
        vars(api)[name], name, globs=dict(vars(api))
    )
    runner = doctest.DocTestRunner()
    runner.run(example)
    assert runner.summarize(verbose=False) == (0, len(example.examples))


def test_all_public_names_are_documented() -> None:
    assert [*api.__all__] == sorted(api.__all__)
    assert [name for name in api.__all__ if not (vars(api)[name].__doc__ or "").strip()] == []
