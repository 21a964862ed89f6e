"""Classes that an application makes and drops again live no longer with us than without us."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import toyagents

from otel_agents.instrumentors._core.calls.around import around
from otel_agents.instrumentors._core.calls.call import Switch, instance
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.patching.patch_set import PatchSet
from otel_agents.instrumentors._core.patching.patches import Patch
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry


def begun(telemetry: Telemetry, call: Any) -> Step:
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
        (an_implementation, Patch("toyagents:Model.call", begun, subclasses=True)),
        (
            an_implementation,
            Patch("toyagents:Model.call", begun, subclasses=True, once_per=instance),
        ),
        (an_implementation, Patch("toyagents:Model.call", begun, overrides=True)),
        (one_that_is_handed, Patch("toyagents:Agent.register", begun, handed="call")),
        (one_with(staticmethod), Patch("toyagents:Model.call", begun, subclasses=True)),
        (one_with(classmethod), Patch("toyagents:Model.call", begun, subclasses=True)),
    ],
)
def test_none_is_kept(
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


def test_a_start_that_is_made_for_an_object_is_not_kept(telemetry: Telemetry) -> None:
    def made_for(kind: type[Any]) -> weakref.ref[type[Any]]:
        def start(telemetry: Telemetry, call: Any) -> Step:
            return Step(telemetry, kind.__name__)

        def answer(self: object) -> object:
            return self

        wrapping = around(telemetry, start, once_per=instance)
        assert wrapping(answer, Switch(), True)("me") == "me"
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
    patches = PatchSet("toy", [Patch("toyagents:Model.call", begun, subclasses=True)], telemetry)
    patches.apply()
    try:
        assert vars(Both)["call"].__wrapped__ is original
    finally:
        patches.undo()
    assert vars(Both)["call"] is original


@pytest.mark.parametrize("decorator", [staticmethod, classmethod])
def test_the_very_static_or_class_method_comes_back(
    decorator: Callable[[Any], Any], telemetry: Telemetry
) -> None:
    mine = one_with(decorator)()
    original = vars(mine)["call"]
    patches = PatchSet("toy", [Patch("toyagents:Model.call", begun, subclasses=True)], telemetry)
    patches.apply()
    try:
        assert vars(mine)["call"] is not original
        assert type(vars(mine)["call"]) is type(original)
    finally:
        patches.undo()
    assert vars(mine)["call"] is original
