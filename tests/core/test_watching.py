"""Observers of a call, which start nothing: they get what they need and change nothing if they fail."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.instrumentation.utils import suppress_instrumentation
from toyagents import Agent, Refused

from otel_agents.instrumentors._core.calls.call import Bindable, Call, Start, Switch
from otel_agents.instrumentors._core.calls.watching import (
    after,
    attaching,
    replacing,
    watch,
    within,
    wrapping_of,
)
from otel_agents.instrumentors._core.context.slots import Slot

TELEMETRY: Any = object()
"""A placeholder for telemetry: toys emit nothing."""
POSITION = Slot("test-watching", str)
WORDS = ["ada", "says", "hi"]
Method = Callable[..., Any]

WHOLE: dict[str, Method] = {
    "sync": Agent.run,
    "async": Agent.arun,
    "decorated": Agent.decorated,
    "decorated async": Agent.adecorated,
    "returns a coroutine": Agent.later,
}
STREAMED: dict[str, Method] = {"generator": Agent.stream, "async generator": Agent.astream}
each_whole = pytest.mark.parametrize("method", WHOLE.values(), ids=WHOLE)
each_streamed = pytest.mark.parametrize("method", STREAMED.values(), ids=STREAMED)
each = pytest.mark.parametrize(
    "method", [*WHOLE.values(), *STREAMED.values()], ids=[*WHOLE, *STREAMED]
)


def patched(how: Start | Bindable, method: Method, switch: Switch | None = None) -> Method:
    return wrapping_of(how, TELEMETRY)(method, switch or Switch(), True)


def call_model(method: Method, prompt: str = "hi", **options: Any) -> Any:
    """What the caller gets; all of a stream."""
    value = method(Agent("ada"), prompt, **options)
    if inspect.isasyncgen(value):
        return asyncio.run(collected(value))
    if inspect.isgenerator(value):
        return list(value)
    return asyncio.run(awaited(value)) if inspect.isawaitable(value) else value


async def collected(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


async def awaited(value: Awaitable[Any]) -> Any:
    return await value


def broken(*_: Any) -> Any:
    raise LookupError("ours")


def results(method: Method) -> Any:
    return WORDS if method in STREAMED.values() else "ada says hi"


@each
def test_watch_gets_the_call_before_it_runs(method: Method) -> None:
    recorded: list[Any] = []

    def observe(telemetry: Any, call: Call) -> object:
        recorded.append((telemetry, call.function, call.instance.name, call.args, call.kwargs))
        return recorded  # not an operation

    assert call_model(patched(watch(observe), method)) == results(method)
    assert recorded == [(TELEMETRY, method, "ada", ("hi",), {})]


@each
def test_watch_sees_a_call_that_fails(method: Method) -> None:
    recorded: list[Any] = []
    with pytest.raises(Refused):
        call_model(patched(watch(lambda telemetry, call: recorded.append(call.args)), method), "")
    assert recorded == [("",)]


@each_whole
def test_after_gets_the_call_and_its_result(method: Method) -> None:
    recorded: list[Any] = []

    def observe(telemetry: Any, call: Call, result: Any) -> object:
        recorded.append((telemetry, call.instance.name, call.args, result))
        return "not the result"

    assert call_model(patched(after(observe, failed=broken), method)) == "ada says hi"
    assert recorded == [(TELEMETRY, "ada", ("hi",), "ada says hi")]


@each
def test_after_gets_the_error_of_a_call_that_fails(method: Method) -> None:
    recorded: list[Any] = []

    def failed(telemetry: Any, call: Call, error: BaseException) -> None:
        recorded.append((telemetry, call.args, repr(error)))

    with pytest.raises(Refused):
        call_model(patched(after(broken, failed=failed), method), "")
    assert recorded == [(TELEMETRY, ("",), "Refused('empty prompt')")]
    with pytest.raises(Refused):
        call_model(patched(after(broken), method), "")


@each_streamed
def test_a_stream_has_no_result_that_could_be_observed_or_replaced(method: Method) -> None:
    for how in (after(broken), replacing(broken)):
        assert call_model(patched(how, method)) == WORDS


@each_whole
def test_replacing_gives_the_caller_what_it_makes_of_the_result(method: Method) -> None:
    def louder(telemetry: Any, call: Call, result: str) -> str:
        return f"{telemetry is TELEMETRY} {call.instance.name} {call.args} {result.upper()}"

    assert call_model(patched(replacing(louder), method)) == "True ada ('hi',) ADA SAYS HI"
    with pytest.raises(Refused):
        call_model(patched(replacing(broken), method), "")


def where(method: Method) -> Method:
    """``method`` of an agent whose name is the current position."""

    def here(self: Agent, prompt: str) -> Any:
        self.name = str(POSITION.get())
        return self.name

    async def ahere(self: Agent, prompt: str) -> Any:
        return here(self, prompt)

    def steps(self: Agent, prompt: str) -> Iterator[Any]:
        for _ in range(2):
            yield here(self, prompt)

    async def asteps(self: Agent, prompt: str) -> AsyncIterator[Any]:
        for _ in range(2):
            yield here(self, prompt)

    shapes: dict[Method, Method] = {
        **dict.fromkeys(WHOLE.values(), here),
        **dict.fromkeys((Agent.arun, Agent.adecorated, Agent.later), ahere),
        Agent.stream: steps,
        Agent.astream: asteps,
    }
    return shapes[method]


@each
def test_within_runs_the_call_there_and_leaves_the_callers_context(method: Method) -> None:
    def position(telemetry: Any, call: Call) -> Context:
        assert (telemetry, call.args) == (TELEMETRY, ("hi",))
        return POSITION.set("inside")

    token = attach(POSITION.set("outside"))
    try:
        before = get_current()
        found = call_model(patched(within(position), where(method)))
        assert get_current() is before
        with pytest.raises(TypeError):
            call_model(patched(within(position), where(method)), wrong=1)
        assert get_current() is before
    finally:
        detach(token)
    assert found == (["inside"] * 2 if method in STREAMED.values() else "inside")


@each
def test_within_none_keeps_the_callers_context(method: Method) -> None:
    token = attach(POSITION.set("outside"))
    try:
        found = call_model(patched(within(lambda telemetry, call: None), where(method)))
    finally:
        detach(token)
    assert found == (["outside"] * 2 if method in STREAMED.values() else "outside")


FAILS: dict[str, tuple[Start, str]] = {
    "watch": (watch(broken), "starting an operation"),
    "after": (after(broken), "recording a result"),
    "replacing": (replacing(broken), "recording a result"),
    "within": (within(broken), "starting an operation"),
}


@each_whole
@pytest.mark.parametrize(("how", "action"), FAILS.values(), ids=FAILS)
def test_if_an_observer_fails_the_caller_gets_the_result_and_ours_is_logged(
    how: Start, action: str, method: Method, caught: list[str]
) -> None:
    assert call_model(patched(how, method)) == "ada says hi"
    assert caught == [action]


@each_streamed
@pytest.mark.parametrize(
    ("how", "action"), [FAILS["watch"], FAILS["within"]], ids=["watch", "within"]
)
def test_if_an_observer_fails_the_caller_gets_the_stream_and_ours_is_logged(
    how: Start, action: str, method: Method, caught: list[str]
) -> None:
    assert call_model(patched(how, method)) == WORDS
    assert caught == [action]


@each
def test_if_an_observer_fails_the_caller_gets_the_error_and_ours_is_logged(
    method: Method, caught: list[str]
) -> None:
    with pytest.raises(Refused):
        call_model(patched(after(failed=broken), method), "")
    assert caught == ["ending an operation"]


ALL: dict[str, Start] = {
    "watch": watch(broken),
    "after": after(broken, failed=broken),
    "replacing": replacing(broken),
    "within": within(broken),
}


@each
@pytest.mark.parametrize("how", ALL.values(), ids=ALL)
def test_nothing_is_observed_while_it_is_suppressed_or_switched_off(
    how: Start, method: Method
) -> None:
    switch = Switch()
    call = patched(how, method, switch)
    with suppress_instrumentation():
        assert call_model(call) == results(method)
    switch.on = False
    assert call_model(call) == results(method)


@pytest.mark.parametrize("how", [within, attaching])
def test_a_value_that_is_no_context_is_never_current(
    how: Callable[[Callable[..., Any]], Start | Bindable], caught: list[str]
) -> None:
    def no_context(*_: object) -> str:
        return "text"

    outer = get_current()
    assert call_model(patched(how(no_context), Agent.run)) == "ada says hi"
    assert get_current() is outer
