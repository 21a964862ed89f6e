"""The examples in the docstrings of public names run."""

from __future__ import annotations

import doctest

import pytest

from otel_agents import instrumentors
from otel_agents.instrumentors import hosting

ROOMS: dict[str, tuple[str, ...]] = vars(instrumentors)["_ROOMS"]
NAMES = {
    **{name: getattr(instrumentors, name) for name in instrumentors.__all__},
    **{f"hosting.{name}": getattr(hosting, name) for name in hosting.__all__},
    "instrumentors": instrumentors,
}
OTHER_ROOMS = {
    name
    for room, names in ROOMS.items()
    for name in names
    if not room.startswith(("calls.", "patching."))
}
CLASSES = sorted(
    name for name, value in NAMES.items() if isinstance(value, type) and name not in OTHER_ROOMS
)


def example(name: str) -> doctest.DocTest:
    """The examples of a docstring, which see all public names."""
    doc = NAMES[name].__doc__ or ""
    return doctest.DocTestParser().get_doctest(doc, {**NAMES}, name, None, 0)


@pytest.mark.parametrize("name", CLASSES)
def test_public_classes_of_calls_patches_and_hosts_have_an_example(name: str) -> None:
    assert example(name).examples


@pytest.mark.parametrize("name", [name for name in NAMES if example(name).examples])
def test_an_example_runs(name: str) -> None:
    results = doctest.DocTestRunner(verbose=False).run(example(name))
    assert (results.failed, results.attempted) == (0, len(example(name).examples))
