"""A call within the operation for the same object is part of it, and of no other."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import toyagents
from opentelemetry.context import Context, get_current

from otel_agents.instrumentors import ExecuteTool, InvokeAgent, Patch, Telemetry, carry, instance
from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.around import around
from otel_agents.instrumentors._core.calls.call import Call, Start, Switch
from otel_agents.instrumentors._core.patching.patch_set import PatchSet
from otel_agents.testing.emission import Emission


class Team:
    """An agent that makes one more call in each of its calls, and then none."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.things: list[Callable[[], Any]] = []
        self.runs: list[Any] = []

    def does(self, *things: Callable[[], Any]) -> Team:
        self.things.extend(things)
        return self

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = object.__hash__

    def run(self) -> Any:
        return self.things.pop(0)() if self.things else "nothing"

    plain = run

    async def arun(self) -> Any:
        return self.things.pop(0)() if self.things else "nothing"

    def stream(self) -> Iterator[Any]:
        yield self.things.pop(0)() if self.things else "nothing"

    async def astream(self) -> AsyncIterator[Any]:
        yield self.things.pop(0)() if self.things else "nothing"


def agent(telemetry: Telemetry, call: Call) -> InvokeAgent:
    run = InvokeAgent(telemetry, call.instance.name)
    runs: list[Any] = getattr(call.instance, "runs", [])
    runs.append(run)
    return run


def another(telemetry: Telemetry, call: Call) -> InvokeAgent:
    return InvokeAgent(telemetry, f"another {call.instance.name}")


@pytest.fixture(autouse=True)
def telemetry(emission: Emission, monkeypatch: pytest.MonkeyPatch) -> Telemetry:
    telemetry = Telemetry("toy", **emission.providers)
    for name in ("run", "arun", "stream", "astream"):
        monkeypatch.setattr(Team, name, once(vars(Team)[name], telemetry))
    return telemetry


def once(method: Callable[..., Any], telemetry: Telemetry, start: Start = agent) -> Any:
    return around(telemetry, start, once_per=instance)(method, Switch(), True)


async def collected(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


WAYS: dict[str, Callable[[Team], Any]] = {
    "sync": lambda team: team.run(),
    "async": lambda team: asyncio.run(team.arun()),
    "generator": lambda team: next(iter([*team.stream()])),
    "async generator": lambda team: asyncio.run(collected(team.astream()))[0],
}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@each_way
def test_inside_the_same_object_is_part_of_the_first(
    way: Callable[[Team], Any], emission: Emission
) -> None:
    ada = Team("ada")
    ada.does(ada.run, lambda: [*ada.stream()], ada.run)
    assert way(ada) == ["nothing"]
    assert emission.tree() == ["invoke_agent ada"]


@each_way
def test_inside_another_object_has_its_own(way: Callable[[Team], Any], emission: Emission) -> None:
    """Even if it is equal: objects are compared by identity."""
    way(Team("ada").does(Team("bob").does(Team("cy").run).run))
    assert emission.tree() == ["invoke_agent ada", "  invoke_agent bob", "    invoke_agent cy"]


@each_way
def test_inside_another_start_has_its_own(
    way: Callable[[Team], Any], emission: Emission, telemetry: Telemetry
) -> None:
    ada = Team("ada")
    run = once(Team.run, telemetry, another)
    way(ada.does(lambda: run(ada), ada.run, ada.run))
    assert emission.tree() == ["invoke_agent ada", "  invoke_agent another ada"]


@each_way
def test_inside_a_tool_the_same_object_has_its_own(
    way: Callable[[Team], Any], emission: Emission, telemetry: Telemetry
) -> None:
    ada = Team("ada")

    def in_a_tool() -> None:
        tool = ExecuteTool(telemetry, "ask_ada")
        carry(ada.run, tool.context)()
        tool.end()

    way(ada.does(in_a_tool, ada.run, ada.run))
    assert emission.tree() == ["invoke_agent ada", "  execute_tool ask_ada", "    invoke_agent ada"]


@each_way
def test_after_the_end_the_same_object_has_its_own(
    way: Callable[[Team], Any], emission: Emission
) -> None:
    ada = Team("ada")
    way(ada)
    assert way(ada) == "nothing"
    assert emission.tree() == ["invoke_agent ada", "invoke_agent ada"]


@each_way
@pytest.mark.parametrize("kept", [True, False])
def test_after_the_end_also_where_its_context_was_copied(
    way: Callable[[Team], Any], kept: bool, emission: Emission
) -> None:
    """As in a background task that outlives the call that created it."""
    ada = Team("ada")
    context: contextvars.Context = way(ada.does(contextvars.copy_context))
    if not kept:
        ada.runs.clear()
    context.run(ada.run)
    assert emission.tree() == ["invoke_agent ada", "  invoke_agent ada"]


def test_after_an_error_the_same_object_has_its_own(emission: Emission) -> None:
    def fail() -> None:
        raise LookupError

    ada = Team("ada").does(fail)
    with pytest.raises(LookupError):
        ada.run()
    ada.run()
    assert emission.tree() == ["invoke_agent ada"] * 2


def test_at_the_same_time_each_has_its_own(emission: Emission) -> None:
    async def main() -> None:
        ada = Team("ada")
        await asyncio.gather(ada.arun(), ada.arun(), Team("bob").arun())

    asyncio.run(main())
    assert sorted(emission.names) == ["invoke_agent ada"] * 2 + ["invoke_agent bob"]


def test_if_a_start_skips_a_call_the_inner_call_starts(
    emission: Emission, telemetry: Telemetry
) -> None:
    prompts: list[Call] = []

    def second(telemetry: Telemetry, call: Call) -> InvokeAgent | None:
        prompts.append(call)
        return agent(telemetry, call) if len(prompts) == 2 else None

    ada = Team("ada")
    run = once(Team.plain, telemetry, second)
    run(ada.does(lambda: run(ada), lambda: run(ada)))
    assert (emission.names, len(prompts)) == (["invoke_agent ada"], 2)


def test_if_once_per_fails_the_call_goes_on(
    emission: Emission, monkeypatch: pytest.MonkeyPatch, telemetry: Telemetry
) -> None:
    def unknown(call: Call) -> object:
        raise LookupError

    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    run = around(telemetry, agent, once_per=unknown)(toyagents.Agent.run, Switch(), True)
    assert run(toyagents.Agent("ada"), "hi") == "ada says hi"
    assert (caught, emission.names) == (["starting an operation"], [])


def test_a_row_has_once_per(emission: Emission, telemetry: Telemetry) -> None:
    """Also where two methods of one object are two rows of the same start."""

    class Outer(toyagents.Agent):
        def run(self, prompt: str, *, times: int = 1) -> str:
            return self.decorated(prompt)

    rows = [
        Patch("toyagents:Agent.run", agent, overrides=True, once_per=instance),
        Patch("toyagents:Agent.decorated", agent, once_per=instance),
    ]
    patches = PatchSet("toy", rows, telemetry)
    patches.apply()
    try:
        assert Outer("ada").run("hi") == "ada says hi"
    finally:
        patches.undo()
    assert emission.names == ["invoke_agent ada"]


class Frozen:
    """Runs a call in a context that cannot be set."""

    __slots__ = ()

    @property
    def context(self) -> Context:
        return get_current()

    def returned(self, value: Any) -> Any:
        return value


def test_an_operation_that_cannot_be_entered_still_runs_the_call(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    frozen: Any = Frozen()
    run = around(telemetry, lambda telemetry, call: frozen, once_per=instance)(
        Team.run, Switch(), True
    )
    assert run(Team("a")) == "nothing"
    assert caught == ["entering an operation"]
