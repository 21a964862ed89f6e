"""Conversations: what a config has under ``configurable`` reaches the root of each run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnableBranch, RunnableLambda, RunnablePassthrough
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.tools import tool
from langchain_graphs import CHAT, CORE
from opentelemetry.context import attach, detach
from packaging.version import Version

from otel_agents.instrumentors import with_conversation_id
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")

PROMPT = ChatPromptTemplate.from_messages([MessagesPlaceholder("history"), ("human", "{it}")])
HI: Any = {"it": "hi"}


def with_history(llm: Any) -> Any:
    """Return a chain that keeps the messages of each session."""
    kept = import_module("langchain_core.chat_history").InMemoryChatMessageHistory
    sessions: dict[str, Any] = {}

    def history(session_id: str) -> Any:
        return sessions.setdefault(session_id, kept())

    return RunnableWithMessageHistory(
        PROMPT | llm, history, input_messages_key="it", history_messages_key="history"
    )


def below_a_parser(llm: Any) -> Any:
    return with_history(llm) | StrOutputParser()


def without_history(llm: Any) -> Any:
    return ChatPromptTemplate.from_template("{it}") | llm


def config(key: str, value: str) -> Any:
    return {"configurable": {key: value}}


def invoked(chain: Any, key: str, loop: asyncio.AbstractEventLoop) -> None:
    chain.invoke(HI, config(key, "c-1"))


def awaited(chain: Any, key: str, loop: asyncio.AbstractEventLoop) -> None:
    loop.run_until_complete(chain.ainvoke(HI, config(key, "c-1")))


def streamed(chain: Any, key: str, loop: asyncio.AbstractEventLoop) -> None:
    list(chain.stream(HI, config(key, "c-1")))


def streamed_later(chain: Any, key: str, loop: asyncio.AbstractEventLoop) -> None:
    async def run() -> None:
        async for _ in chain.astream(HI, config(key, "c-1")):
            pass

    loop.run_until_complete(run())


def batched(chain: Any, key: str, loop: asyncio.AbstractEventLoop) -> None:
    chain.batch([HI, HI, {"it": "ho"}], [config(key, f"c-{n}") for n in (1, 2, 3)])


def batched_later(chain: Any, key: str, loop: asyncio.AbstractEventLoop) -> None:
    configs = [config(key, f"c-{n}") for n in (1, 2, 3)]
    loop.run_until_complete(chain.abatch([HI, HI, {"it": "ho"}], configs))


CHAINS = pytest.mark.parametrize(
    ("make", "key"),
    [
        (with_history, "session_id"),
        (below_a_parser, "session_id"),
        (without_history, "thread_id"),
    ],
    ids=["history", "below", "thread"],
)


def conversations(emission: Emission, name: str) -> list[Any]:
    """Return the conversations of the spans whose names start with ``name``."""
    found = (span for span in emission.spans if span.name.startswith(name))
    return sorted((span.attributes or {}).get("gen_ai.conversation.id", "none") for span in found)


@pytest.mark.parametrize("way", [invoked, awaited, streamed, streamed_later])
@CHAINS
def test_the_root_and_the_model_have_the_conversation(
    make: Callable[[Any], Any],
    key: str,
    way: Callable[..., None],
    llm: Any,
    loop: asyncio.AbstractEventLoop,
    emission: Emission,
) -> None:
    way(make(llm), key, loop)
    assert emission.tree() == ["invoke_workflow", f"  {CHAT}"]
    assert conversations(emission, "invoke_workflow") == ["c-1"]
    assert conversations(emission, CHAT) == ["c-1"]


@pytest.mark.parametrize("way", [batched, batched_later])
@CHAINS
def test_each_run_of_a_batch_has_its_own(
    make: Callable[[Any], Any],
    key: str,
    way: Callable[..., None],
    llm: Any,
    loop: asyncio.AbstractEventLoop,
    emission: Emission,
) -> None:
    way(make(llm), key, loop)
    assert emission.tree() == ["batch", *(["  invoke_workflow", f"    {CHAT}"] * 3)]
    assert conversations(emission, "batch") == ["none"]
    assert conversations(emission, "invoke_workflow") == ["c-1", "c-2", "c-3"]
    assert conversations(emission, CHAT) == ["c-1", "c-2", "c-3"]


def in_lambda(llm: Any) -> Any:
    def call(it: str) -> Any:
        return llm.invoke(it)

    return RunnableLambda(call)


def in_branch(llm: Any) -> Any:
    return RunnableBranch((lambda _: False, llm), llm)


def in_fallbacks(llm: Any) -> Any:
    return llm.with_fallbacks([llm])


def in_retry(llm: Any) -> Any:
    return in_lambda(llm).with_retry(stop_after_attempt=2)


def in_assignment(llm: Any) -> Any:
    def keep(it: str) -> dict[str, Any]:
        return {"it": it}

    def call(found: dict[str, Any]) -> Any:
        return llm.invoke(found["it"])

    chain: Any = RunnableLambda(keep) | RunnablePassthrough.assign(response=RunnableLambda(call))
    return chain


def bound_later(llm: Any) -> Any:
    return in_branch(llm).with_config(tags=["a"]).bind()


def alone(llm: Any) -> Any:
    return llm


def bound_alone(llm: Any) -> Any:
    return llm.bind(stop=["x"])


ROOTS = [in_lambda, in_branch, in_fallbacks, in_retry, in_assignment, bound_later]
EACH = pytest.mark.parametrize("make", [*ROOTS, alone, bound_alone])
THREAD: Any = {"configurable": {"thread_id": "c-1"}}
SESSION: Any = {"metadata": {"session_id": "c-1"}}


def invoked_with(chain: Any, given: Any, loop: asyncio.AbstractEventLoop) -> None:
    chain.invoke("hi", given)


def awaited_with(chain: Any, given: Any, loop: asyncio.AbstractEventLoop) -> None:
    loop.run_until_complete(chain.ainvoke("hi", given))


def streamed_with(chain: Any, given: Any, loop: asyncio.AbstractEventLoop) -> None:
    list(chain.stream("hi", given))


def batched_with(chain: Any, given: Any, loop: asyncio.AbstractEventLoop) -> None:
    chain.batch(["hi"], [given])


@pytest.mark.parametrize("way", [invoked_with, awaited_with, streamed_with, batched_with])
@pytest.mark.parametrize("given", [THREAD, SESSION], ids=["thread", "session"])
@EACH
def test_a_run_of_each_kind_and_a_model_alone_have_the_conversation(
    make: Callable[[Any], Any],
    given: Any,
    way: Callable[..., None],
    llm: Any,
    loop: asyncio.AbstractEventLoop,
    emission: Emission,
) -> None:
    way(make(llm), given, loop)
    alone_here = make in (alone, bound_alone)
    assert conversations(emission, CHAT) == ["c-1"]
    assert conversations(emission, "invoke_workflow") == ([] if alone_here else ["c-1"])


@EACH
def test_the_next_run_has_none_of_it(
    make: Callable[[Any], Any], llm: Any, emission: Emission
) -> None:
    chain = make(llm)
    chain.invoke("hi", THREAD)
    chain.invoke("hi")
    chain.batch(["hi", "ho"], [{}, THREAD])
    assert conversations(emission, CHAT) == ["c-1", "c-1", "none", "none"]


def test_an_id_of_the_application_is_kept(llm: Any, emission: Emission) -> None:
    token = attach(with_conversation_id("c-0"))
    in_branch(llm).invoke("hi", THREAD)
    llm.invoke("hi", THREAD)
    detach(token)
    assert conversations(emission, CHAT) == ["c-0", "c-0"]


def test_a_tool_alone_has_that_of_its_metadata(emission: Emission) -> None:
    @tool
    def look(it: str) -> str:
        """Look."""
        return it

    look.invoke({"it": "a"}, SESSION)
    assert emission.tree() == ["execute_tool look"]
    assert conversations(emission, "execute_tool look") == ["c-1"]


TWO = [[HumanMessage(content="a")], [HumanMessage(content="b")]]


SUMMED = pytest.mark.skipif(Version("0.3") > CORE, reason="langchain-openai adds usages up by +=")


def generated(llm: Any, loop: asyncio.AbstractEventLoop) -> None:
    llm.generate(TWO)


def generated_later(llm: Any, loop: asyncio.AbstractEventLoop) -> None:
    loop.run_until_complete(llm.agenerate(TWO))


def batched_alone(llm: Any, loop: asyncio.AbstractEventLoop) -> None:
    llm.batch(["a", "b"])


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(generated, marks=SUMMED),
        pytest.param(generated_later, marks=SUMMED),
        batched_alone,
    ],
)
def test_a_model_that_is_called_with_several_inputs_is_one_trace(
    way: Callable[[Any, asyncio.AbstractEventLoop], None],
    llm: Any,
    loop: asyncio.AbstractEventLoop,
    emission: Emission,
    model: ScriptedModel,
) -> None:
    way(llm, loop)
    assert emission.tree() == ["batch", f"  {CHAT}", f"  {CHAT}"]
    assert (emission.traces(), len(model.ledger.wait(2, ended=True).entries)) == (1, 2)
    (batch,) = (span for span in emission.spans if span.name == "batch")
    assert batch.attributes == {"otel_agents.step.type": "batch", "otel_agents.step.count": 2}
