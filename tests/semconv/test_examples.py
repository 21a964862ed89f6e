"""Every public class of the conventions has an example in its docstring that runs."""

from __future__ import annotations

import doctest
import inspect
import pkgutil
from importlib import import_module
from typing import Any, Final

import pytest

from otel_agents import semconv

MODULES: Final = [
    import_module(found.name)
    for found in pkgutil.iter_modules(semconv.__path__, f"{semconv.__name__}.")
]
CLASSES: Final[dict[str, type[Any]]] = {
    f"{value.__module__}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if inspect.isclass(value)
    and value.__module__.startswith(module.__name__)
    and not name.startswith("_")
}


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_public_class_has_an_example_that_runs(name: str) -> None:
    kind = CLASSES[name]
    scope = dict(vars(import_module(kind.__module__)))
    (example,) = doctest.DocTestFinder(recurse=False).find(kind, kind.__name__, globs=scope)
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0
