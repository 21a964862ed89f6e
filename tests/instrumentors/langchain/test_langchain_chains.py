"""Chains without a graph: which of their runs are spans, and what they are called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import (
    RunnableBranch,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_graphs import CHAT, attributes, chat, ways
from opentelemetry.context import attach, detach
from pydantic import BaseModel

from otel_agents.instrumentors import with_conversation_id
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")

Loop = asyncio.AbstractEventLoop
PROMPT = ChatPromptTemplate.from_messages([("human", "{topic}")])
TOPIC = {"topic": "weather"}


WAYS = ways(TOPIC)
EVERY_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
Way = Callable[[Any, Loop], object]


@EVERY_WAY
def test_a_chain_is_a_workflow_without_the_name_of_its_class(
    way: Way, llm: Any, loop: Loop, emission: Emission
) -> None:
    way(PROMPT | llm | StrOutputParser(), loop)
    assert emission.tree() == ["invoke_workflow", f"  {CHAT}"]
    assert attributes(emission, "invoke_workflow") == [{"gen_ai.operation.name": "invoke_workflow"}]


@EVERY_WAY
def test_a_chain_has_the_name_that_it_was_given(
    way: Way, llm: Any, loop: Loop, emission: Emission
) -> None:
    way((PROMPT | llm).with_config(run_name="answer"), loop)
    assert emission.tree() == ["invoke_workflow answer", f"  {CHAT}"]
    assert attributes(emission, "invoke_workflow answer") == [
        {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "answer"}
    ]


@EVERY_WAY
def test_a_composite_that_was_named_is_a_step(
    way: Way, llm: Any, loop: Loop, emission: Emission
) -> None:
    part = (PROMPT | llm).with_config(run_name="draft")
    way(RunnablePassthrough() | part | StrOutputParser(), loop)
    assert emission.tree() == ["invoke_workflow", "  chain draft", f"    {CHAT}"]
    assert attributes(emission, "chain draft") == [{"otel_agents.step.type": "chain"}]


@EVERY_WAY
def test_parallel_parts_that_were_named_are_siblings(
    way: Way, llm: Any, loop: Loop, emission: Emission
) -> None:
    part = (PROMPT | llm).with_config(run_name="draft")
    way(RunnableParallel(one=part, two=RunnableLambda(str)), loop)
    assert emission.tree() == ["invoke_workflow", "  chain draft", f"    {CHAT}"]


def shout(text: Any) -> str:
    return str(text).upper()


@EVERY_WAY
def test_functions_prompts_branches_and_parsers_are_not_shown(
    way: Way, llm: Any, loop: Loop, emission: Emission
) -> None:
    named: Any = RunnableLambda(shout).with_config(run_name="loud")
    branch: Any = RunnableBranch((lambda text: "x" in str(text), named), RunnableLambda(shout))
    way(PROMPT | llm | StrOutputParser() | RunnableLambda(shout) | branch, loop)
    assert emission.tree() == ["invoke_workflow", f"  {CHAT}"]


def test_a_function_alone_is_a_workflow_by_its_name(emission: Emission) -> None:
    RunnableLambda(shout).invoke("a")
    assert emission.tree() == ["invoke_workflow shout"]


def test_a_model_alone_is_no_workflow(llm: Any, emission: Emission) -> None:
    llm.invoke("Hi")
    assert emission.tree() == [CHAT]


# Batches.


async def as_completed(chain: Any) -> None:
    async for _ in chain.abatch_as_completed([TOPIC, TOPIC]):
        pass


BATCHES: dict[str, Callable[[Any, Loop], object]] = {
    "batch": lambda chain, loop: chain.batch([TOPIC, TOPIC]),
    "abatch": lambda chain, loop: loop.run_until_complete(chain.abatch([TOPIC, TOPIC])),
    "batch_as_completed": lambda chain, loop: list(chain.batch_as_completed([TOPIC, TOPIC])),
    "abatch_as_completed": lambda chain, loop: loop.run_until_complete(as_completed(chain)),
}


@pytest.mark.parametrize("way", BATCHES.values(), ids=BATCHES)
@pytest.mark.parametrize("bound", [False, True], ids=["alone", "bound"])
def test_a_batch_is_one_trace(
    way: Way, bound: bool, llm: Any, loop: Loop, emission: Emission
) -> None:
    chain: Any = PROMPT | llm
    way(chain.with_config(tags=["a"]) if bound else chain, loop)
    run = ["  invoke_workflow", f"    {CHAT}"]
    assert emission.tree() == ["batch", *run, *run]
    assert emission.traces() == 1
    assert attributes(emission, "batch") == [
        {"otel_agents.step.type": "batch", "otel_agents.step.count": 2}
    ]


@pytest.mark.parametrize("way", BATCHES.values(), ids=BATCHES)
def test_a_batch_has_the_name_of_what_is_batched(
    way: Way, llm: Any, loop: Loop, emission: Emission
) -> None:
    way((PROMPT | llm).with_config(run_name="describe"), loop)
    run = ["  invoke_workflow describe", f"    {CHAT}"]
    assert emission.tree() == ["batch describe", *run, *run]


def test_a_batch_within_a_run_is_no_step(llm: Any, emission: Emission) -> None:
    inner: Any = PROMPT | llm

    def several(topic: str) -> int:
        return len(inner.batch([{"topic": topic}, {"topic": topic}]))

    RunnableLambda(several).invoke("weather")
    assert emission.tree() == ["invoke_workflow several", f"  {CHAT}", f"  {CHAT}"]


def test_an_empty_batch_is_nothing(llm: Any, emission: Emission) -> None:
    (PROMPT | llm).batch([])
    assert emission.spans == ()


# Retries, fallbacks, structured output.


def test_a_retry_is_a_call_of_its_own(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(500), "Sunny.")
    (PROMPT | llm).with_retry(wait_exponential_jitter=False).invoke(TOPIC)
    assert emission.tree() == ["invoke_workflow", f"  {CHAT}", f"  {CHAT}"]
    assert [found.get("error.type") for found in attributes(emission, CHAT)] == [
        "openai.InternalServerError",
        None,
    ]


def test_a_fallback_is_a_call_of_its_own(model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(500), "Sunny.")
    other = chat(model, temperature=0)
    (PROMPT | chat(model).with_fallbacks([other])).invoke(TOPIC)
    assert emission.tree() == ["invoke_workflow", f"  {CHAT}", f"  {CHAT}"]


class Weather(BaseModel):
    """The weather."""

    sunny: bool


def test_structured_output_is_one_call(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response(tool_calls=[ToolCall("Weather", {"sunny": True})]))
    chain = PROMPT | llm.with_structured_output(Weather, method="function_calling")
    assert dict(chain.invoke(TOPIC)) == {"sunny": True}
    assert emission.tree() == ["invoke_workflow", f"  {CHAT}"]


# Conversations.


@EVERY_WAY
def test_a_history_is_a_conversation(way: Way, llm: Any, loop: Loop, emission: Emission) -> None:
    histories: dict[str, InMemoryChatMessageHistory] = {}

    def history(session_id: str) -> InMemoryChatMessageHistory:
        return histories.setdefault(session_id, InMemoryChatMessageHistory())

    chain: Any = RunnableWithMessageHistory(PROMPT | llm, history, input_messages_key="topic")

    class Bound:
        """The chain in a session."""

        def __getattr__(self, name: str) -> Any:
            config = {"configurable": {"session_id": "s-1"}}
            return partial(getattr(chain, name), config=config)

    way(Bound(), loop)
    assert emission.tree() == ["invoke_workflow", f"  {CHAT}"]
    ids = [(s.attributes or {}).get("gen_ai.conversation.id") for s in emission.spans]
    assert ids == ["s-1", "s-1"]


def test_the_metadata_of_a_run_may_name_its_conversation(llm: Any, emission: Emission) -> None:
    (PROMPT | llm).invoke(TOPIC, {"metadata": {"session_id": 7}})
    assert [(s.attributes or {}).get("gen_ai.conversation.id") for s in emission.spans] == [
        "7",
        "7",
    ]


def test_a_conversation_that_the_application_set_wins(llm: Any, emission: Emission) -> None:
    def history(session_id: str) -> InMemoryChatMessageHistory:
        return InMemoryChatMessageHistory()

    chain: Any = RunnableWithMessageHistory(PROMPT | llm, history, input_messages_key="topic")
    token = attach(with_conversation_id("web-1"))
    (PROMPT | llm).invoke(TOPIC, {"metadata": {"session_id": 7}})
    chain.invoke(TOPIC, {"configurable": {"session_id": "s-1"}})
    detach(token)
    ids = [(s.attributes or {}).get("gen_ai.conversation.id") for s in emission.spans]
    assert ids == ["web-1"] * 4
