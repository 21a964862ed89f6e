"""Errors that pass chains: on each span on their way, with one event where they were raised."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool
from langchain_graphs import CHAT

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")

PROMPT = ChatPromptTemplate.from_messages([("human", "{topic}")])
TOPICS = [{"topic": "rain"}, {"topic": "snow"}, {"topic": "wind"}]


def fail(value: Any) -> Any:
    raise LookupError("secret")


def same(value: Any) -> Any:
    return value


def call(value: Any) -> Any:
    return RunnableLambda(fail).invoke(value)


def failing(emission: Emission) -> list[str]:
    """Return the names of the spans with an exception event, once for each event."""
    names = {span.context.span_id: span.name for span in emission.spans if span.context}
    return [names[log.log_record.span_id] for log in emission.logs]


CHAINS: dict[str, Callable[[], Any]] = {
    "last": lambda: RunnableLambda(same) | fail,
    "inner": lambda: RunnableLambda(same) | (RunnableLambda(same) | fail),
    "called": lambda: RunnableLambda(same) | call,
    "prompt": lambda: RunnableLambda(same) | ChatPromptTemplate.from_messages([("human", "{no}")]),
}


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_an_error_in_a_part_without_a_span_has_its_event_on_the_chain(
    chain: Callable[[], Any], emission: Emission
) -> None:
    with pytest.raises(LookupError):  # also a KeyError
        chain().invoke({"topic": "rain"})
    assert failing(emission) == ["invoke_workflow"]


def test_an_error_in_a_named_part_has_its_event_there(emission: Emission) -> None:
    part = (RunnableLambda(same) | fail).with_config(run_name="part")
    with pytest.raises(LookupError):
        (RunnableLambda(same) | part).invoke(1)
    assert emission.tree() == ["invoke_workflow", "  chain part"]
    assert failing(emission) == ["chain part"]


def test_an_error_of_a_model_in_a_batch_has_one_event(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script("a", Failure(400), "c")
    with pytest.raises(Exception, match="400"):
        (PROMPT | llm).batch(TOPICS, {"max_concurrency": 1})
    assert failing(emission) == [CHAT]


def test_an_error_of_a_batch_of_calls_has_one_event(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Failure(400))
    with pytest.raises(Exception, match="400"):
        llm.batch(["rain"])
    assert emission.tree() == ["batch", f"  {CHAT}"]
    assert failing(emission) == [CHAT]


def test_each_error_that_a_batch_returns_has_its_event(emission: Emission) -> None:
    found = RunnableLambda(fail).with_config(run_name="f").batch([1, 2], return_exceptions=True)
    assert [type(one) for one in found] == [LookupError, LookupError]
    assert failing(emission) == ["invoke_workflow f", "invoke_workflow f"]


class Slow(BaseTool):
    """A tool that never ends."""

    name: str = "slow"
    description: str = "Waits."

    def _run(self, query: str, run_manager: Any = None) -> str:
        raise SystemExit("secret")

    async def _arun(self, query: str, run_manager: Any = None) -> str:
        await asyncio.sleep(60)
        return query


class SlowRetriever(BaseRetriever):
    """A retriever that never ends."""

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> Any:
        raise SystemExit("secret")

    async def _aget_relevant_documents(self, query: str, *, run_manager: Any) -> Any:
        await asyncio.sleep(60)


SLOW: dict[str, tuple[Callable[[], Any], str]] = {
    "tool": (Slow, "execute_tool slow"),
    "retriever": (SlowRetriever, "retrieval"),
}
EACH = pytest.mark.parametrize(("make", "name"), SLOW.values(), ids=SLOW)


@EACH
def test_a_cancellation_ends_what_it_cancels(
    make: Callable[[], Any], name: str, loop: asyncio.AbstractEventLoop, emission: Emission
) -> None:
    async def cancelled() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(make().ainvoke("q"), 0.1)

    loop.run_until_complete(cancelled())
    assert emission.names == [name]
    assert str((emission.span.attributes or {})["error.type"]).endswith("CancelledError")
    assert failing(emission) == [name]


@EACH
def test_an_exit_ends_what_it_leaves(
    make: Callable[[], Any], name: str, emission: Emission
) -> None:
    with pytest.raises(SystemExit):
        make().invoke("q")
    assert emission.names == [name]
    assert (emission.span.attributes or {})["error.type"] == "SystemExit"
