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
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_graphs import CHAT, CORE
from packaging.version import Version

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
    """Return the conversations of the spans of a name."""
    found = (span for span in emission.spans if span.name == name)
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
