"""The handler in the application's hands, and beside its own callbacks."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Callable
from importlib import import_module
from typing import Any
from unittest.mock import MagicMock

import pytest
from langchain_core.callbacks.base import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_graphs import CORE, State, compiled
from packaging.version import Version

from otel_agents.instrumentors.langchain import LangChainInstrumentor
from otel_agents.testing.emission import Emission

EMPTY: dict[str, Any] = {"steps": []}


class Own(BaseCallbackHandler):
    """Keeps the names of the events that it gets."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
        """Keep it."""
        self.events.append(f"start {kwargs.get('name')}")

    def on_chain_end(self, *args: Any, **kwargs: Any) -> None:
        """Keep it."""
        self.events.append("end")


def first(state: State) -> Any:
    return {"steps": ["first"]}


def test_callbacks_of_the_application_get_the_same_events(
    instrument: Callable[..., None], emission: Emission
) -> None:
    bare, instrumented = Own(), Own()
    run = compiled(first)
    run.invoke(EMPTY, {"callbacks": [bare]})
    instrument()
    run.invoke(EMPTY, {"callbacks": [instrumented]})
    assert bare.events == instrumented.events
    assert len(emission.spans) == 2


@pytest.mark.usefixtures("instrumented")
def test_a_node_that_copies_and_pickles_its_config_is_recorded_once(emission: Emission) -> None:
    below = RunnableLambda(str)
    handlers: list[Any] = []

    def caller(state: State, config: RunnableConfig) -> Any:
        callbacks: Any = config.get("callbacks")
        handlers.extend(callbacks.handlers)
        (ours,) = (one for one in callbacks.handlers if type(one).__name__ == "RunHandler")
        assert copy.deepcopy(ours) is copy.copy(ours) is ours
        unpickled = pickle.loads(pickle.dumps(ours))
        assert (type(unpickled), unpickled == ours) == (type(ours), False)
        callbacks.add_handler(unpickled)
        below.invoke("a", {**config, "run_name": "copied"})
        return {"steps": []}

    compiled(caller).invoke(EMPTY)
    assert emission.tree() == ["invoke_workflow", "  node caller"]


def test_uninstrumenting_removes_the_hook(
    instrument: Callable[..., None], emission: Emission
) -> None:
    hooks: Any = import_module("langchain_core.tracers.context")
    before = list(hooks._configure_hooks)
    instrument()
    compiled(first).invoke(EMPTY)
    assert len(hooks._configure_hooks) == len(before) + 1
    LangChainInstrumentor().uninstrument()
    assert hooks._configure_hooks == before
    compiled(first).invoke(EMPTY)
    assert emission.traces() == 1


def test_a_run_that_lasts_longer_than_the_instrumentation_ends(
    instrument: Callable[..., None], emission: Emission
) -> None:
    instrument()
    stream = compiled(first).stream(EMPTY)
    next(stream)
    LangChainInstrumentor().uninstrument()
    assert list(stream) == []
    assert emission.tree()[:1] == ["invoke_workflow"]


@pytest.mark.usefixtures("instrumented")
def test_suppressed_instrumentation_records_nothing(emission: Emission) -> None:
    utils: Any = import_module("opentelemetry.instrumentation.utils")
    with utils.suppress_instrumentation():
        compiled(first).invoke(EMPTY)
    assert emission.spans == ()


@pytest.mark.skipif(Version("0.3") > CORE, reason="it takes no client of a test")
@pytest.mark.usefixtures("instrumented")
def test_langsmiths_tracer_at_the_same_time(emission: Emission) -> None:
    tracers: Any = import_module("langchain_core.tracers.langchain")
    client = MagicMock()
    below: Any = RunnableLambda(str) | RunnableLambda(str)

    def caller(state: State) -> Any:
        below.invoke("a", {"run_name": "below"})
        return {"steps": []}

    compiled(caller).invoke(EMPTY, {"callbacks": [tracers.LangChainTracer(client=client)]})
    assert emission.tree() == ["invoke_workflow", "  node caller", "    chain below"]
    assert client.create_run.called


class Waiting(AsyncCallbackHandler):
    """Keeps the names of the events that it gets, or raises at the end of a run."""

    def __init__(self, error: Exception | None = None) -> None:
        self.events: list[str] = []
        self.raise_error = error is not None
        self.error = error

    async def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
        """Keep it."""
        await asyncio.sleep(0)
        self.events.append(f"start {kwargs.get('name')}")

    async def on_chain_end(self, *args: Any, **kwargs: Any) -> None:
        """Keep it."""
        self.events.append("end")
        if self.error is not None:
            raise self.error


def test_asynchronous_callbacks_of_the_application_get_the_same_events(
    instrument: Callable[..., None], emission: Emission
) -> None:
    bare, instrumented = Waiting(), Waiting()
    run = compiled(first)
    asyncio.run(run.ainvoke(EMPTY, {"callbacks": [bare]}))
    instrument()
    asyncio.run(run.ainvoke(EMPTY, {"callbacks": [instrumented]}))
    assert bare.events == instrumented.events
    asyncio.run(run.ainvoke(EMPTY))
    alone = emission.tree()[2:]
    assert alone == emission.tree()[:2] == ["invoke_workflow", "  node first"]


@pytest.mark.usefixtures("instrumented")
def test_what_an_asynchronous_callback_raises_reaches_the_application() -> None:
    error = ValueError("of the application")
    with pytest.raises(ValueError, match="of the application"):
        asyncio.run(compiled(first).ainvoke(EMPTY, {"callbacks": [Waiting(error)]}))


def test_events_for_our_handler_alone_pass_no_dispatch_of_langchain(
    instrument: Callable[..., None], emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = import_module("langchain_core.callbacks.manager")
    original = manager._ahandle_event_for_handler
    dispatched: list[Any] = []

    async def counted(handler: Any, *args: Any, **kwargs: Any) -> None:
        dispatched.append(handler)
        await original(handler, *args, **kwargs)

    monkeypatch.setattr(manager, "_ahandle_event_for_handler", counted)
    bare = manager.ahandle_event
    instrument()
    asyncio.run(compiled(first).ainvoke(EMPTY))
    assert (len(emission.spans), dispatched) == (2, [])
    LangChainInstrumentor().uninstrument()
    assert manager.ahandle_event is bare


def test_events_of_synchronous_code_pass_none_either(
    instrument: Callable[..., None], emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = import_module("langchain_core.callbacks.manager")
    dispatched: list[str] = []

    def counted(handlers: Any, event: str, *args: Any, **kwargs: Any) -> None:
        dispatched.append(event)

    monkeypatch.setattr(manager, "handle_event", counted)
    instrument()
    compiled(first).invoke(EMPTY)
    assert (emission.tree(), dispatched) == (["invoke_workflow", "  node first"], [])
    LangChainInstrumentor().uninstrument()
    assert manager.handle_event is counted
