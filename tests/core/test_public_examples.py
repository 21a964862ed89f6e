"""Every public class has an example in its docstring, and each example runs."""

from __future__ import annotations

import builtins
import dis
import doctest
from collections.abc import Iterator
from types import CodeType, FunctionType, GenericAlias
from typing import Any, Final

import pytest

from otel_agents import instrumentors
from otel_agents.instrumentors import hosting
from otel_agents.semconv import values

NAMES: Final[dict[str, Any]] = {
    **{name: getattr(instrumentors, name) for name in instrumentors.__all__},
    **{f"hosting.{name}": getattr(hosting, name) for name in hosting.__all__},
    "instrumentors": instrumentors,
}
CLASSES = sorted(
    name
    for name, value in NAMES.items()
    # On Python 3.10 `Callable[…]` is a type too: https://github.com/python/cpython/issues/89828
    if isinstance(value, type) and not isinstance(value, GenericAlias)
)


def example(name: str) -> doctest.DocTest:
    """Return the example of a docstring, which sees all public names."""
    scope = {**NAMES, "values": values, "__name__": "example"}
    doc = NAMES[name].__doc__ or ""
    return doctest.DocTestParser().get_doctest(doc, scope, name, None, 0)


def globals_read(code: CodeType) -> Iterator[str]:
    """Yield the names of the globals that ``code`` and the functions in it read."""
    for instruction in dis.get_instructions(code):
        if instruction.opname == "LOAD_GLOBAL":
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from globals_read(constant)


def functions(scope: dict[str, Any]) -> Iterator[FunctionType]:
    """Yield the functions and methods that an example defines."""
    for value in scope.values():
        for defined in vars(value).values() if isinstance(value, type) else [value]:
            if isinstance(defined, FunctionType) and defined.__module__ == "example":
                yield defined


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_class_has_an_example(name: str) -> None:
    assert example(name).examples


@pytest.mark.parametrize("name", [name for name in NAMES if example(name).examples])
def test_an_example_runs(name: str) -> None:
    """Its functions are started by patches, not here: the globals that they read must exist."""
    test = example(name)
    results = doctest.DocTestRunner(verbose=False).run(test, clear_globs=False)
    assert (results.failed, results.attempted) == (0, len(test.examples))
    for function in functions(test.globs):
        assert {*globals_read(function.__code__)} <= {*function.__globals__, *dir(builtins)}
