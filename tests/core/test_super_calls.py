"""A call by ``super()`` is part of the call; a call of another object is not."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors import Step, Telemetry
from otel_agents.instrumentors._core.calls.around import around
from otel_agents.instrumentors._core.calls.call import Switch
from otel_agents.testing.emission import Emission


class Base:
    def __init__(self, inner: Base | None = None) -> None:
        self.inner = inner

    def call(self) -> str:
        return "base"


class Derived(Base):
    def call(self) -> str:
        prompts = super().call() if self.inner is None else self.inner.call()
        return f"derived of {prompts}"


def instrumented(telemetry: Telemetry) -> Any:
    """Both implementations, by one start, as `subclasses` of a row wraps them."""

    def start(telemetry: Telemetry, call: Any) -> Step:
        return Step(telemetry, "call", type(call.instance).__name__)

    wrapping = around(telemetry, start, overridden=True)
    kinds: Any = {}
    for kind in (Base, Derived):
        kinds[kind] = kind.call
        kind.call = wrapping(kind.call, Switch(), True)
    return kinds


def test_a_super_call_is_part_of_the_call_and_another_objects_call_is_none(
    telemetry: Telemetry, emission: Emission
) -> None:
    originals = instrumented(telemetry)
    try:
        assert Derived().call() == "derived of base"
        assert emission.tree() == ["call Derived"]
        assert Derived(Base()).call() == "derived of base"
    finally:
        for kind, original in originals.items():
            kind.call = original
    assert emission.tree() == ["call Derived", "call Derived", "  call Base"]
