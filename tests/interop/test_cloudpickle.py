"""What is pickled by its code is the original where we are not, and recorded once where we are."""

from __future__ import annotations

import asyncio
import base64
import copy
import inspect
import pickle
from collections.abc import AsyncGenerator, Generator, Iterator
from importlib import import_module
from typing import Any

import pytest
import toyagents
from pickled import read_with_us, read_without_us

from otel_agents.instrumentors._core import drives, errors
from otel_agents.instrumentors._core.calls.watching import instead, watch
from otel_agents.instrumentors._core.patching.patch_set import PatchSet
from otel_agents.instrumentors._core.patching.patches import Patch

NOTHING: Any = None
cloudpickle: Any = import_module("cloudpickle")  # no types
CALLED: list[str] = []


def called(telemetry: Any, call: Any) -> None:
    CALLED.append(call.function.__qualname__.rpartition(".")[2])


METHODS = ("call", "acall", "stream", "astream", "shared", "of_class")


def model() -> type[Any]:
    """A class with a method of each kind; none of them can be imported."""

    class Mine(toyagents.Model):
        def call(self, prompt: str) -> str:
            above: Any = super()  # so that the method's own cell refers to the class
            return f"{prompt}!" if above else ""

        async def acall(self, prompt: str) -> str:
            return f"{prompt}!"

        def stream(self, prompt: str) -> Generator[str, None, int]:
            yield from prompt
            return len(prompt)

        async def astream(self, prompt: str) -> AsyncGenerator[str, None]:
            for letter in prompt:
                yield letter

        @staticmethod
        def shared(prompt: str) -> str:
            return f"{prompt}!"

        @classmethod
        def of_class(cls, prompt: str) -> str:
            return f"{cls.__name__} {prompt}!"

    return Mine


USED = """
    import asyncio, inspect

    async def used(one):
        return [
            one.call("hi"),
            await one.acall("hi"),
            list(one.stream("hi")),
            [letter async for letter in one.astream("hi")],
            one.shared("hi"),
            one.of_class("hi"),
        ]

    def kinds(one):
        return [
            inspect.isfunction(value.call),
            inspect.iscoroutinefunction(value.acall),
            inspect.isgeneratorfunction(value.stream),
            inspect.isasyncgenfunction(value.astream),
            list(inspect.signature(value.call).parameters)[-1],
        ]

    print(asyncio.run(used(value())), kinds(value))
"""
RESULT = (
    "['hi!', 'hi!', ['h', 'i'], ['h', 'i'], 'hi!', 'Mine hi!'] [True, True, True, True, 'prompt']"
)
SETUP = """
    import toyagents
    from otel_agents.instrumentors._core.calls.watching import watch
    from otel_agents.instrumentors._core.patching.patch_set import PatchSet
    from otel_agents.instrumentors._core.patching.patches import Patch

    called = []
    note = watch(lambda telemetry, call: called.append(call.function.__name__))
    for name in ("call", "acall", "stream", "astream", "shared", "of_class"):
        if not hasattr(toyagents.Model, name):
            setattr(toyagents.Model, name, lambda self: None)
        PatchSet("toy", [Patch(f"toyagents:Model.{name}", note, subclasses=True)], None).apply()
"""


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[PatchSet]]:
    """Every method of `model` is replaced in subclasses."""
    CALLED.clear()
    sets: list[PatchSet] = []
    for name in METHODS:
        if not hasattr(toyagents.Model, name):
            monkeypatch.setattr(toyagents.Model, name, len, raising=False)
        row = Patch(f"toyagents:Model.{name}", watch(called), subclasses=True)
        sets.append(PatchSet("toy", [row], NOTHING))
        sets[-1].apply()
    yield sets
    for one in reversed(sets):
        one.undo()


async def use(one: Any) -> list[Any]:
    return [
        one.call("hi"),
        await one.acall("hi"),
        list(one.stream("hi")),
        [letter async for letter in one.astream("hi")],
        one.shared("hi"),
        one.of_class("hi"),
    ]


@pytest.mark.usefixtures("patched")
def test_where_we_are_not_it_is_the_original() -> None:
    assert read_without_us(cloudpickle.dumps(model()), USED).strip() == RESULT


@pytest.mark.usefixtures("patched")
def test_it_comes_back_from_there_as_it_went() -> None:
    again = "import sys\nsys.stdout.write(base64.b64encode(cloudpickle.dumps(value)).decode())"
    there = read_without_us(cloudpickle.dumps(model()), again)
    assert read_without_us(base64.b64decode(there), USED).strip() == RESULT


@pytest.mark.usefixtures("patched")
def test_where_we_are_it_is_recorded_once() -> None:
    printed = read_with_us(cloudpickle.dumps(model()), SETUP, USED + "    print(called)\n")
    assert printed.splitlines() == [RESULT, str(list(METHODS))]


def test_in_the_same_process_it_stays_recorded_once_until_the_undo(
    patched: list[PatchSet],
) -> None:
    mine = model()
    original = vars(mine)["call"].__wrapped__
    for _ in range(3):
        assert cloudpickle.loads(cloudpickle.dumps(mine)) is mine
    asyncio.run(use(mine()))
    assert list(METHODS) == CALLED
    assert inspect.unwrap(vars(mine)["call"]).__code__ == original.__code__
    assert not hasattr(inspect.unwrap(vars(mine)["call"]), "__wrapped__")
    for one in patched:
        one.undo()
    asyncio.run(use(mine()))
    assert list(METHODS) == CALLED


@pytest.mark.usefixtures("patched")
@pytest.mark.parametrize("name", ["call", "shared", "of_class"])
def test_a_method_alone(name: str) -> None:
    method = getattr(model()(), name)
    pickled = cloudpickle.dumps(method)
    result = method("hi")
    assert read_without_us(pickled, "print(value('hi'))").strip() == result
    printed = read_with_us(pickled, SETUP, "print(value('hi'), len(called))").strip()
    assert printed == f"{result} 1"


def test_a_row_that_is_not_there_is_the_original(patched: list[PatchSet]) -> None:
    pickled = cloudpickle.dumps(model().call)
    for one in patched:
        one.undo()
    assert cloudpickle.loads(pickled)(None, "hi") == "hi!"
    CALLED.clear()
    assert cloudpickle.loads(pickled)(None, "hi") == "hi!"
    assert CALLED == []


def test_what_is_called_instead_pickles_too() -> None:
    class Mine(toyagents.Model):
        def call(self, prompt: str) -> str:
            return f"{prompt}!"

    row = Patch("toyagents:Model.call", instead(lambda telemetry, call: "ours"), subclasses=True)
    patches = PatchSet("toy", [row], NOTHING)
    patches.apply()
    try:
        pickled = cloudpickle.dumps(Mine)
        assert Mine().call("hi") == "ours"
        assert read_without_us(pickled, "print(value().call('hi'))").strip() == "hi!"
    finally:
        patches.undo()


@pytest.mark.usefixtures("patched")
def test_a_failure_of_ours_harms_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Any:
        raise LookupError

    pickled = cloudpickle.dumps(model().shared)
    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    monkeypatch.setattr(drives.living, "get", fail)
    assert cloudpickle.loads(pickled)("hi") == "hi!"
    assert caught == ["reading a pickled function"]


@pytest.mark.usefixtures("patched")
def test_what_can_be_imported_is_pickled_by_its_name() -> None:
    for pickles in (pickle, cloudpickle):
        assert pickles.loads(pickles.dumps(toyagents.Parrot)) is toyagents.Parrot
        assert pickles.loads(pickles.dumps(toyagents.Parrot.call)) is toyagents.Parrot.call
    assert copy.deepcopy(toyagents.Parrot.call) is toyagents.Parrot.call
    assert isinstance(copy.deepcopy(toyagents.Parrot()), toyagents.Parrot)
