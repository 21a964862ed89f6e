"""Replacing a call, and attaching a context after one."""

from __future__ import annotations

import contextvars
import inspect
import logging
from collections.abc import Callable
from typing import Any

import pytest
import toyagents
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.instrumentation.utils import suppress_instrumentation
from toyagents import Agent, Refused

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.call import Call, Switch
from otel_agents.instrumentors._core.calls.watching import attaching, instead, wrapping_of
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.patching.patch_set import PatchSet
from otel_agents.instrumentors._core.patching.patches import Patch

TELEMETRY: Any = object()
"""A placeholder for telemetry: toys emit nothing."""
POSITION = Slot("test-attaching", str)


def broken(*_: Any) -> Any:
    raise LookupError("a planted secret")


# Instead.


def louder(telemetry: Any, call: Call) -> Any:
    assert telemetry is TELEMETRY
    call.args = (f"{call.args[0]}!",)
    return call.proceed().upper()


@pytest.mark.parametrize(
    ("target", "call_model", "before", "now"),
    [
        ("complete", lambda: toyagents.complete("hi"), "asked hi", "ASKED HI!"),
        ("Agent.run", lambda: Agent("ada").run("hi"), "ada says hi", "ADA SAYS HI!"),
        ("Agent.shout", lambda: Agent.shout("hi"), "HI", "HI!"),
    ],
    ids=["function", "method", "static method"],
)
def test_the_caller_gets_the_result_of_the_replacement(
    target: str, call_model: Callable[[], str], before: str, now: str
) -> None:
    patches = PatchSet("toy", [Patch(f"toyagents:{target}", instead(louder))], TELEMETRY)
    patches.apply()
    patched = call_model()
    patches.undo()
    assert [patched, call_model()] == [now, before]


def test_proceed_calls_the_original_with_the_current_arguments() -> None:
    seen: list[Any] = []

    def make(telemetry: Any, call: Call) -> Any:
        seen.append((call.function, call.instance.name, call.args, call.kwargs))
        call.kwargs = {"times": 3}
        return call.proceed()

    run = wrapping_of(instead(make), TELEMETRY)(Agent.run, Switch(), True)
    assert run(Agent("ada"), "hi", times=1) == "ada says hi" * 3
    assert seen == [(Agent.run, "ada", ("hi",), {"times": 1})]


def test_a_class_method_proceeds_with_its_class() -> None:
    class Loud(Agent): ...

    named = vars(Agent)["named"].__func__
    run = wrapping_of(instead(lambda telemetry, call: call.proceed()), TELEMETRY)(
        named, Switch(), True
    )
    assert type(run(Loud, "ada")) is Loud


def test_the_original_need_not_run() -> None:
    run = wrapping_of(instead(lambda telemetry, call: "nothing"), TELEMETRY)(
        broken, Switch(), False
    )
    assert run() == "nothing"


def test_errors_of_the_original_and_of_its_replacement_reach_the_caller() -> None:
    run = wrapping_of(instead(lambda telemetry, call: call.proceed()), TELEMETRY)(
        Agent.run, Switch(), True
    )
    with pytest.raises(Refused, match="empty prompt"):
        run(Agent("ada"), "")
    run = wrapping_of(instead(broken), TELEMETRY)(Agent.run, Switch(), True)
    with pytest.raises(LookupError, match="secret"):
        run(Agent("ada"), "hi")


def test_switched_off_the_original_runs_and_inspects_as_before() -> None:
    switch = Switch()
    run = wrapping_of(instead(broken), TELEMETRY)(Agent.run, switch, True)
    switch.on = False
    assert run(Agent("ada"), "hi", times=2) == "ada says hi" * 2
    assert inspect.signature(run) == inspect.signature(Agent.run)
    assert (run.__name__, run.__doc__) == ("run", Agent.run.__doc__)


def test_an_instance_that_is_false_is_an_instance() -> None:
    class Empty(Agent):
        def __len__(self) -> int:
            return 0

    run = wrapping_of(instead(lambda telemetry, call: call.proceed()), TELEMETRY)(
        Agent.run, Switch(), True
    )
    assert run(Empty("ada"), "hi") == "ada says hi"


# Attaching.


def position(telemetry: Any, call: Call) -> Context:
    assert telemetry is TELEMETRY
    return POSITION.set(f"{call.instance.name} {call.args[0]}")


def entering(of: Any = position, switch: Switch | None = None) -> Callable[..., Any]:
    return wrapping_of(attaching(of), TELEMETRY)(Agent.run, switch or Switch(), True)


def in_a_copy(*calls: Callable[[], Any]) -> list[Any]:
    """As a library that copies the context for one piece of work and runs it there step by step."""
    copy = contextvars.copy_context()
    return [copy.run(call) for call in calls]


def test_in_a_copied_context_it_is_current_afterwards_and_stays_so() -> None:
    run = entering()
    found = in_a_copy(POSITION.get, lambda: run(Agent("ada"), "hi"), POSITION.get, POSITION.get)
    assert found == [None, "ada says hi", "ada hi", "ada hi"]


def test_the_context_stays_inside_the_copy() -> None:
    token = attach(POSITION.set("outside"))
    try:
        before = get_current()
        in_a_copy(lambda: entering()(Agent("ada"), "hi"))
        assert get_current() is before
    finally:
        detach(token)


def test_the_function_itself_runs_where_it_was_called() -> None:
    def where(self: Agent, prompt: str) -> str | None:
        return POSITION.get()

    run = wrapping_of(attaching(position), TELEMETRY)(where, Switch(), True)
    assert in_a_copy(lambda: run(Agent("ada"), "hi"), POSITION.get) == [None, "ada hi"]


def test_what_a_second_call_attaches_is_current_after_it() -> None:
    run = entering()
    found = in_a_copy(lambda: run(Agent("a"), "1"), lambda: run(Agent("b"), "2"), POSITION.get)
    assert found[-1] == "b 2"


def test_none_leaves_what_is_current() -> None:
    def nowhere(telemetry: Any, call: Call) -> None: ...

    token = attach(POSITION.set("outside"))
    try:
        assert in_a_copy(lambda: entering(nowhere)(Agent("a"), "1"), POSITION.get)[1] == "outside"
    finally:
        detach(token)


def test_after_an_error_of_the_function_nothing_is_attached() -> None:
    run = entering()

    def refused() -> None:
        with pytest.raises(Refused, match="empty prompt"):
            run(Agent("ada"), "")

    assert in_a_copy(refused, POSITION.get) == [None, None]


@pytest.mark.parametrize("why", ["suppressed", "switched off"])
def test_nothing_is_attached_while_it_is(why: str) -> None:
    switch = Switch()
    run = entering(broken, switch)

    def call() -> Any:
        if why == "suppressed":
            with suppress_instrumentation():
                return run(Agent("ada"), "hi")
        switch.on = False
        return run(Agent("ada"), "hi")

    assert in_a_copy(call, POSITION.get) == ["ada says hi", None]


def test_an_internal_error_is_logged_once_without_its_text_and_the_call_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(errors, "strict", False)
    monkeypatch.setattr(errors, "counts", type(errors.counts)())
    run = entering(broken)
    with caplog.at_level(logging.WARNING, "otel_agents"):
        found = in_a_copy(*[lambda: run(Agent("ada"), "hi")] * 3, POSITION.get)
    assert found == [*["ada says hi"] * 3, None]
    assert errors.counts == {"attaching a context": 3}
    (logged,) = [record.getMessage() for record in caplog.records]
    assert logged.startswith("otel-agents failed while attaching a context (LookupError at ")
    assert "secret" not in caplog.text


def test_an_attaching_function_inspects_as_before() -> None:
    run = entering()
    assert inspect.signature(run) == inspect.signature(Agent.run)
    assert (run.__name__, run.__doc__) == ("run", Agent.run.__doc__)
