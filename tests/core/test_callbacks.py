"""Callbacks for libraries are guarded: our errors are logged, and they do nothing when suppressed."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.context import Context, attach, detach
from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.call import Switch
from otel_agents.instrumentors._core.calls.callbacks import guarded, guarded_in_context

ACTION = "handling the start of a run"


def handle(run: str, *, tags: tuple[str, ...] = ()) -> str:
    """Report what started."""
    if run == "cancelled":
        raise asyncio.CancelledError
    if not run:
        raise LookupError("a planted secret")
    return f"{run} {tags}"


async def ahandle(run: str, *, tags: tuple[str, ...] = ()) -> str:
    """Report what started."""
    await asyncio.sleep(0)
    return handle(run, tags=tags)


Handle = Callable[..., Any]
each = pytest.mark.parametrize("function", [handle, ahandle], ids=["sync", "async"])


def called(function: Handle, *args: Any, **kwargs: Any) -> Any:
    """What the library that calls back gets."""
    value = function(*args, **kwargs)
    return asyncio.run(value) if inspect.iscoroutine(value) else value


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As outside of tests: errors are logged, from the first one on."""
    monkeypatch.setattr(errors, "strict", False)
    monkeypatch.setattr(errors, "counts", type(errors.counts)())


@each
def test_the_library_gets_what_the_function_returns(function: Handle) -> None:
    assert called(guarded(ACTION)(function), "run", tags=("a",)) == "run ('a',)"


def test_a_method_is_guarded_as_well() -> None:
    class Handler:
        name = "handler"

        @guarded(ACTION)
        def on_start(self, run: str) -> str:
            return f"{self.name} {run}"

        @guarded(ACTION)
        async def on_end(self, run: str) -> str:
            return f"{self.name} {run}"

    handler = Handler()
    assert [called(handler.on_start, "a"), called(handler.on_end, run="b")] == [
        "handler a",
        "handler b",
    ]


@each
@pytest.mark.usefixtures("lenient")
def test_added_arguments_are_an_internal_error(function: Handle) -> None:
    assert called(guarded(ACTION)(function), "run", unheard_of=1) is None
    assert errors.counts == {ACTION: 1}


@each
@pytest.mark.usefixtures("lenient")
def test_what_it_raises_is_swallowed_counted_and_logged_once_without_its_text(
    function: Handle, caplog: pytest.LogCaptureFixture
) -> None:
    guard = guarded(ACTION)(function)
    with caplog.at_level(logging.WARNING):
        assert [called(guard, "") for _ in range(3)] == [None, None, None]
    assert errors.counts == {ACTION: 3}
    (logged,) = [record.getMessage() for record in caplog.records]
    assert logged.startswith(
        f"otel-agents failed while {ACTION} (LookupError at test_callbacks.py:"
    )
    assert "secret" not in caplog.text


@each
def test_in_tests_it_is_raised(function: Handle) -> None:
    with pytest.raises(LookupError, match="secret"):
        called(guarded(ACTION)(function), "")


@each
@pytest.mark.usefixtures("lenient")
def test_cancellation_passes(function: Handle) -> None:
    """A cancelled task must end."""
    with pytest.raises(asyncio.CancelledError):
        called(guarded(ACTION)(function), "cancelled")
    assert errors.counts == {}


@each
def test_it_is_not_called_while_instrumentation_is_suppressed(function: Handle) -> None:
    with suppress_instrumentation():
        assert called(guarded(ACTION)(function), "") is None


@pytest.mark.usefixtures("lenient")
def test_one_of_each_step_gets_the_current_context_and_raises_nothing() -> None:
    got: list[object] = []

    def start(context: Context, run: str) -> None:
        got.append((context, handle(run)))

    guard = guarded_in_context(ACTION)(start)
    token = attach(Context({"key": "value"}))
    try:
        guard("run")
        guard("")
        with suppress_instrumentation():
            guard("")
    finally:
        detach(token)
    assert got == [({"key": "value"}, "run ()")]
    assert errors.counts == {ACTION: 1}


@each
def test_it_is_not_called_when_it_is_switched_off(function: Handle) -> None:
    switch = Switch()
    guard = guarded(ACTION, switch=switch)(function)
    assert called(guard, "run") == "run ()"
    switch.on = False
    assert called(guard, "") is None
    switch.on = True
    assert called(guard, "run") == "run ()"


@each
def test_it_is_inspected_as_before(function: Handle) -> None:
    """LangChain and others check whether a handler's method is a coroutine function."""
    guard = guarded(ACTION)(function)
    for prompt in (inspect.iscoroutinefunction, inspect.signature, inspect.getdoc):
        assert prompt(guard) == prompt(function)
    assert guard.__name__ == function.__name__
