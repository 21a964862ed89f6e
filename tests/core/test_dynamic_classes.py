"""Classes that an application creates and drops live no longer when they are patched."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from typing import Any, cast

import pytest
import toyagents

from otel_agents.instrumentors._core.calls.around import around
from otel_agents.instrumentors._core.calls.call import Switch, instance
from otel_agents.instrumentors._core.calls.watching import watch
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.patching.patch_set import PatchSet
from otel_agents.instrumentors._core.patching.patches import Patch
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry


def started(telemetry: Telemetry, call: Any) -> Step:
    return Step(telemetry, "answer")


def an_implementation() -> type[Any]:
    class Mine(toyagents.Model):
        def __init__(self) -> None:
            super().__init__()  # the method's own cell refers to the class

        def call(self, prompt: str) -> str:
            assert super().__init__
            return prompt

    assert Mine().call("hi") == "hi"
    return Mine


def one_that_is_handed() -> type[Any]:
    class Base:
        def call(self, prompt: str) -> str:
            return f"{__class__}"

    class Mine(Base): ...

    agent: Any = toyagents.Agent("ada")
    agent.register(Mine)
    assert Mine().call("hi")
    return Mine


def one_with(decorator: Callable[[Any], Any]) -> Callable[[], type[Any]]:
    def make() -> type[Any]:
        class Mine(toyagents.Model):
            @decorator
            def call(*arguments: Any) -> Any:
                return __class__

        kind: Any = Mine
        assert kind.call("hi") is Mine
        return Mine

    return make


@pytest.mark.parametrize(
    ("made", "patch"),
    [
        (an_implementation, Patch("toyagents:Model.call", started, subclasses=True)),
        (
            an_implementation,
            Patch("toyagents:Model.call", started, subclasses=True, once_per=instance),
        ),
        (an_implementation, Patch("toyagents:Model.call", started, overrides=True)),
        (one_that_is_handed, Patch("toyagents:Agent.register", started, argument_method="call")),
        (one_with(staticmethod), Patch("toyagents:Model.call", started, subclasses=True)),
        (one_with(classmethod), Patch("toyagents:Model.call", started, subclasses=True)),
    ],
)
def test_no_class_is_kept_alive(
    made: Callable[[], type[Any]],
    patch: Patch,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def register(self: object, kind: type) -> None: ...

    monkeypatch.setattr(toyagents.Agent, "register", register, raising=False)
    patches = PatchSet("toy", [patch], telemetry)
    patches.apply()
    try:
        kept, living = [weakref.ref(made()) for _ in range(20)], made()
        before = vars(living).get("call")
        gc.collect()
        assert sum(one() is not None for one in kept) == 0
    finally:
        patches.undo()
    assert vars(living).get("call") is not before


def test_a_start_made_for_an_object_is_not_kept_alive(telemetry: Telemetry) -> None:
    def made_for(kind: type[Any]) -> weakref.ref[type[Any]]:
        def start(telemetry: Telemetry, call: Any) -> Step:
            return Step(telemetry, kind.__name__)

        def reply(self: object) -> object:
            return self

        wrapping = around(telemetry, start, once_per=instance)
        assert wrapping(reply, Switch(), True)("me") == "me"
        return weakref.ref(kind)

    kept = [made_for(type("Mine", (), {})) for _ in range(20)]
    gc.collect()
    assert sum(one() is not None for one in kept) == 0


def test_a_class_below_two_others_is_patched_once(telemetry: Telemetry) -> None:
    class Left(toyagents.Model): ...

    class Right(toyagents.Model): ...

    class Both(Left, Right):
        def call(self, prompt: str) -> str:
            return prompt

    original = vars(Both)["call"]
    patches = PatchSet("toy", [Patch("toyagents:Model.call", started, subclasses=True)], telemetry)
    patches.apply()
    try:
        assert vars(Both)["call"].__wrapped__ is original
    finally:
        patches.undo()
    assert vars(Both)["call"] is original


@pytest.mark.parametrize("decorator", [staticmethod, classmethod])
def test_the_same_static_or_class_method_is_restored(
    decorator: Callable[[Any], Any], telemetry: Telemetry
) -> None:
    mine = one_with(decorator)()
    original = vars(mine)["call"]
    patches = PatchSet("toy", [Patch("toyagents:Model.call", started, subclasses=True)], telemetry)
    patches.apply()
    try:
        assert vars(mine)["call"] is not original
        assert type(vars(mine)["call"]) is type(original)
    finally:
        patches.undo()
    assert vars(mine)["call"] is original


@pytest.fixture
def replies(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The methods of subclasses of `Model` that were called, each observed."""
    called: list[str] = []
    sets: list[PatchSet] = []
    for name in ("call", "acall", "stream", "astream", "named"):
        if not hasattr(toyagents.Model, name):
            monkeypatch.setattr(toyagents.Model, name, len, raising=False)
        observed = watch(lambda telemetry, call: called.append(call.function.__name__))
        row = Patch(f"toyagents:Model.{name}", observed, subclasses=True)
        sets.append(PatchSet("toy", [row], telemetry))
        sets[-1].apply()
    yield called
    for one in sets:
        one.undo()


def made_again(cls: type[Any], metaclass: Callable[..., Any]) -> Any:
    """A second ``cls`` instead of the first, as attrs creates one with slots."""
    contents = {name: value for name, value in vars(cls).items() if name != "__weakref__"}
    again: Any = metaclass(cls.__name__, cls.__bases__, {**contents, "__slots__": ("n",)})
    for value in cast("dict[str, Any]", vars(again)).values():
        for cell in getattr(getattr(value, "__func__", value), "__closure__", None) or ():
            if cell.cell_contents is cls:
                cell.cell_contents = again
    return again


def test_a_class_that_is_made_a_second_time_is_observed_and_refers_to_itself(
    replies: list[str],
) -> None:
    def recorded(kind: type[Any], prompt: str) -> str:
        return f"{prompt} of {'it' if kind is Mine else 'another'}"

    class Mine(toyagents.Model):
        def call(self, prompt: str) -> str:
            assert super().__init__
            return recorded(__class__, prompt)

        async def acall(self, prompt: str) -> str:
            return recorded(__class__, prompt)

        def stream(self, prompt: str) -> Generator[str, None, None]:
            yield recorded(__class__, prompt)

        async def astream(self, prompt: str) -> AsyncGenerator[str, None]:
            yield recorded(__class__, prompt)

        @classmethod
        def named(cls, prompt: str) -> str:
            return recorded(__class__, prompt)

    async def use(one: Any) -> list[str]:
        streamed = [item async for item in one.astream("hi")]
        return [
            one.call("hi"),
            await one.acall("hi"),
            *one.stream("hi"),
            *streamed,
            one.named("hi"),
        ]

    Mine = made_again(Mine, type(Mine))
    assert asyncio.run(use(Mine())) == ["hi of it"] * 5
    assert sorted(replies) == ["acall", "astream", "call", "named", "stream"]


def test_a_partial_method_stays_one_and_is_observed(telemetry: Telemetry) -> None:
    class Mine(toyagents.Model):
        def _recorded(self, how: str, prompt: str) -> str:
            return f"{how} {prompt}"

        call: Any = functools.partialmethod(_recorded, "well,")

    original, signature = vars(Mine)["call"], inspect.signature(Mine.call)
    seen: list[tuple[object, ...]] = []
    observed = watch(lambda telemetry, call: seen.append((call.instance, *call.args)))
    patches = PatchSet("toy", [Patch("toyagents:Model.call", observed, subclasses=True)], telemetry)
    patches.apply()
    mine: Any = Mine()
    try:
        assert isinstance(vars(Mine)["call"], functools.partialmethod)
        assert inspect.signature(Mine.call) == signature
        assert mine.call("hi") == "well, hi"
        assert seen == [(mine, "hi")]
    finally:
        patches.undo()
    assert vars(Mine)["call"] is original
    assert mine.call("hi") == "well, hi"
    assert len(seen) == 1
