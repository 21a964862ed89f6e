"""A class pickled by its code runs without otel-agents, and is recorded once with it."""

from __future__ import annotations

import asyncio
import base64
import builtins
import copy
import gc
import inspect
import logging
import pickle
import sys
import weakref
from collections import OrderedDict
from collections.abc import AsyncGenerator, Generator, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
import toyagents
from pickled import read_with_us, read_without_us

from otel_agents.instrumentors._core import drivers, errors
from otel_agents.instrumentors._core.calls.watching import instead, watch
from otel_agents.instrumentors._core.patching.patch_set import PatchSet
from otel_agents.instrumentors._core.patching.patches import Patch
from otel_agents.instrumentors._core.replacing import unpickling
from otel_agents.instrumentors._core.tables import Counts

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
            for character in prompt:
                yield character

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


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No row of another test is applied."""
    nothing: OrderedDict[object, object] = OrderedDict()
    monkeypatch.setattr(drivers.class_patches, "_entries", nothing)


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
        [character async for character in one.astream("hi")],
        one.shared("hi"),
        one.of_class("hi"),
    ]


@pytest.mark.usefixtures("patched")
def test_without_otel_agents_it_is_the_original() -> None:
    assert read_without_us(cloudpickle.dumps(model()), USED).strip() == RESULT


@pytest.mark.usefixtures("patched")
def test_pickled_there_again_it_is_unchanged() -> None:
    again = "import sys\nsys.stdout.write(base64.b64encode(cloudpickle.dumps(value)).decode())"
    there = read_without_us(cloudpickle.dumps(model()), again)
    assert read_without_us(base64.b64decode(there), USED).strip() == RESULT


@pytest.mark.usefixtures("patched")
def test_with_otel_agents_it_is_recorded_once() -> None:
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


def test_without_its_row_it_is_the_original(patched: list[PatchSet]) -> None:
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
def test_an_internal_error_breaks_no_unpickling(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Any:
        raise LookupError

    pickled = cloudpickle.dumps(model().shared)
    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    monkeypatch.setattr(drivers.class_patches, "get", fail)
    assert cloudpickle.loads(pickled)("hi") == "hi!"
    assert caught == ["reading a pickled function"]


@pytest.mark.usefixtures("patched")
def test_an_importable_class_is_pickled_by_its_name() -> None:
    for pickles in (pickle, cloudpickle):
        assert pickles.loads(pickles.dumps(toyagents.Parrot)) is toyagents.Parrot
        assert pickles.loads(pickles.dumps(toyagents.Parrot.call)) is toyagents.Parrot.call
    assert copy.deepcopy(toyagents.Parrot.call) is toyagents.Parrot.call
    assert isinstance(copy.deepcopy(toyagents.Parrot()), toyagents.Parrot)


CALL = Patch("toyagents:Model.call", watch(called), subclasses=True)


def filling() -> Any:
    """The function that fills the classes that cloudpickle reads."""
    return getattr(cloudpickle.cloudpickle, "_class_setstate")  # noqa: B009  a private name


UNDONE = filling()
TWICE = """
    again = cloudpickle.loads(cloudpickle.dumps(value))
    assert again is value
"""


@pytest.mark.parametrize("again", ["", TWICE])
def test_a_class_pickled_without_instrumentation_is_recorded_once(again: str) -> None:
    printed = read_with_us(cloudpickle.dumps(model()), SETUP, again + USED + "    print(called)\n")
    assert printed.splitlines() == [RESULT, str(list(METHODS))]


def test_a_class_unpickled_again_stays_recorded_once(patched: list[PatchSet]) -> None:
    there = "import sys\nsys.stdout.write(base64.b64encode(cloudpickle.dumps(value)).decode())"
    pickled = base64.b64decode(read_without_us(cloudpickle.dumps(model()), there))
    read: Any = cloudpickle.loads(pickled)
    first = read.call
    assert cloudpickle.loads(pickled) is read
    assert read.call is not first
    asyncio.run(use(read()))
    assert list(METHODS) == CALLED
    for one in patched:
        one.undo()
    asyncio.run(use(read()))
    assert list(METHODS) == CALLED


def test_undo_restores_a_class_pickled_without_instrumentation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def untracked(_: object, cls: type[Any]) -> type[Any]:
        return cls

    monkeypatch.setattr(cloudpickle.cloudpickle, "_lookup_class_or_track", untracked)
    pickled = cloudpickle.dumps(model())
    bare: Any = cloudpickle.loads(pickled).call
    patches = PatchSet("toy", [CALL], NOTHING)
    patches.apply()
    read: Any = cloudpickle.loads(pickled)
    assert inspect.unwrap(read.call).__code__ == bare.__code__
    assert read.call is not inspect.unwrap(read.call)
    patches.undo()
    assert vars(read)["call"] is inspect.unwrap(read.call)
    seen = weakref.ref(read)
    del read
    gc.collect()
    assert seen() is None


def test_the_fill_function_pickles_as_before_and_is_restored() -> None:
    sets = [PatchSet(name, [CALL], NOTHING) for name in ("toy", "other")]
    for one in sets:
        one.apply()
    ours = filling()
    assert ours is not UNDONE
    assert inspect.isfunction(ours)
    assert inspect.signature(ours) == inspect.signature(UNDONE)
    for pickles in (pickle, cloudpickle):
        assert pickles.loads(pickles.dumps(ours)) is ours
        assert b"otel_agents" not in pickles.dumps(ours)
    sets[0].undo()
    assert filling() is ours
    sets[1].undo()
    assert filling() is UNDONE
    sets = [PatchSet("toy", [CALL], NOTHING)]
    sets[0].apply()
    assert filling() is not UNDONE
    sets[0].undo()
    assert filling() is UNDONE


def test_a_class_passed_as_an_argument_stays_recorded_when_unpickled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Mine:
        def reply(self, prompt: str) -> str:
            return f"mine {prompt}"

    class Other(Mine):
        pass

    def register(self: object, kind: type) -> None: ...

    CALLED.clear()
    pickled = cloudpickle.dumps((Mine, Other))
    monkeypatch.setattr(toyagents.Agent, "register", register, raising=False)
    row = Patch("toyagents:Agent.register", watch(called), argument_method="reply")
    patches = PatchSet("toy", [row], NOTHING)
    patches.apply()
    try:
        agent: Any = toyagents.Agent("ada")
        agent.register(Mine)
        assert cloudpickle.loads(pickled) == (Mine, Other)
        assert Mine().reply("hi") == "mine hi"
        assert CALLED == ["reply"]
    finally:
        patches.undo()


def test_an_unpickled_class_is_recorded_again_after_an_undo() -> None:
    CALLED.clear()
    first = PatchSet("toy", [CALL], NOTHING)
    first.apply()
    mine = model()
    assert cloudpickle.loads(cloudpickle.dumps(mine)) is mine
    first.undo()
    second = PatchSet("toy", [CALL], NOTHING)
    second.apply()
    mine().call("hi")
    assert CALLED == ["call"]
    second.undo()
    mine().call("hi")
    assert CALLED == ["call"]


@pytest.mark.parametrize("module", ["cloudpickle", "cloudpickle_fast"])
def test_vendored_copies_are_hooked(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def call(self: object, prompt: str) -> str:
        return prompt

    def fill(cls: type[Any], state: dict[str, Any]) -> type[Any]:
        for name, value in state.items():
            setattr(cls, name, value)
        return cls

    CALLED.clear()
    copied = ModuleType(f"ray.cloudpickle.{module}")
    vars(copied)["_class_setstate"] = fill
    patches = PatchSet("toy", [CALL], NOTHING)
    monkeypatch.setitem(sys.modules, "ray.cloudpickle", ModuleType("ray.cloudpickle"))
    monkeypatch.setitem(sys.modules, copied.__name__, copied)
    patches.apply()
    try:
        made: Any = type("Mine", (toyagents.Model,), {})
        assert vars(copied)["_class_setstate"](made, {"call": call}) is made
        vars(copied)["_class_setstate"](cls=int, state={})
        made.__abstractmethods__ = frozenset()
        assert made().call("hi") == "hi"
        assert len(CALLED) == 1
    finally:
        patches.undo()
    assert vars(copied)["_class_setstate"] is fill


def test_a_copy_without_the_fill_function_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("ray.cloudpickle", "ray.cloudpickle.cloudpickle"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(unpickling, "_warned", Counts())
    patches = PatchSet("toy", [CALL, CALL], NOTHING)
    with caplog.at_level(logging.WARNING, "otel_agents"):
        patches.apply()
    assert str(patches.report()) == "2 of 2 applied"
    patches.undo()
    (record,) = caplog.records
    assert record.getMessage() == (
        "otel-agents: ray.cloudpickle has no _class_setstate, so calls of application classes that "
        "are read from its pickles may not be recorded"
    )


@pytest.mark.usefixtures("patched")
def test_an_internal_error_at_an_unpickled_class_breaks_no_unpickling(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> Any:
        raise LookupError

    class Mine:
        pass

    pickled = cloudpickle.dumps(Mine)
    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    for patch in drivers.class_patches.values():
        monkeypatch.setattr(patch, "class_unpickled", fail)
    assert cloudpickle.loads(pickled) is Mine
    assert caught == ["patching a class that was read"] * len(METHODS)


@pytest.mark.usefixtures("patched")
@pytest.mark.parametrize("name", METHODS)
def test_a_pickle_of_all_globals_holds_nothing_of_otel_agents(name: str) -> None:
    replacement: Any = getattr(model(), name)
    replacement = getattr(replacement, "__func__", replacement)
    driver = drivers.driver_of(replacement)
    assert driver is not None
    assert replacement.__globals__ is globals()
    assert driver.__reduce__()[0].__globals__ is vars(builtins)
