"""Tags and metadata: with content on, on the run to which the application gave them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_graphs import CHAT, State, add, attributes, compiled

from otel_agents.testing.emission import Emission

TAGS, METADATA = "otel_agents.tags", "otel_agents.metadata."
CONFIG: Any = {"tags": ["beta"], "metadata": {"customer": "acme"}}
MORE: Any = {"tags": ["mine"], "metadata": {"tries": 2}}
GIVEN = (("beta",), {"customer": "acme"})
OWN = (("mine",), {"tries": "2"})
NONE: Any = ((), {})


def labels(emission: Emission, name: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the tags and the metadata of the one span of a name."""
    (found,) = attributes(emission, name)
    return of(found)


def root(emission: Emission) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the tags and the metadata of the root."""
    (found,) = (dict(span.attributes or {}) for span in emission.spans if span.parent is None)
    return of(found)


def of(found: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return tags and metadata among the attributes of a span."""
    metadata = {
        key.removeprefix(METADATA): value
        for key, value in found.items()
        if key.startswith(METADATA)
    }
    return tuple(found.get(TAGS, ())), metadata


def first(state: State) -> Any:
    return {"steps": [str(add.invoke({"a": 1, "b": 2}, MORE))]}


@pytest.mark.usefixtures("with_content")
def test_a_graph_has_those_of_its_config_and_its_nodes_have_none(emission: Emission) -> None:
    compiled(first, name="g").invoke({"steps": []}, {**CONFIG, "configurable": {"thread_id": "t"}})
    assert (root(emission), labels(emission, "node first")) == (GIVEN, NONE)
    assert labels(emission, "execute_tool add") == OWN


@pytest.mark.usefixtures("instrumented")
def test_nothing_of_them_leaves_by_default(emission: Emission, llm: Any) -> None:
    chain = ChatPromptTemplate.from_template("{it}") | llm.with_config(MORE)
    chain.invoke({"it": "hi"}, CONFIG)
    assert not {"beta", "acme", "mine"} & set(emission.texts().split())
    assert TAGS not in attributes(emission, CHAT)[0]


def invoked(chain: Any, loop: asyncio.AbstractEventLoop) -> None:
    chain.invoke({"it": "hi"}, CONFIG)


def streamed(chain: Any, loop: asyncio.AbstractEventLoop) -> None:
    list(chain.stream({"it": "hi"}, CONFIG))


def awaited(chain: Any, loop: asyncio.AbstractEventLoop) -> None:
    loop.run_until_complete(chain.ainvoke({"it": "hi"}, CONFIG))


def streamed_later(chain: Any, loop: asyncio.AbstractEventLoop) -> None:
    async def run() -> None:
        async for _ in chain.astream({"it": "hi"}, CONFIG):
            pass

    loop.run_until_complete(run())


def events(chain: Any, loop: asyncio.AbstractEventLoop) -> None:
    async def run() -> None:
        async for _ in chain.astream_events({"it": "hi"}, CONFIG, version="v1"):
            pass

    loop.run_until_complete(run())


WAYS = pytest.mark.parametrize("way", [invoked, streamed, awaited, streamed_later, events])


@WAYS
@pytest.mark.usefixtures("with_content")
def test_a_model_has_its_own_on_the_span_of_the_sdk(
    way: Callable[[Any, asyncio.AbstractEventLoop], None],
    llm: Any,
    loop: asyncio.AbstractEventLoop,
    emission: Emission,
) -> None:
    chain = ChatPromptTemplate.from_template("{it}") | llm.with_config(MORE)
    way(chain, loop)
    assert (root(emission), labels(emission, CHAT)) == (GIVEN, OWN)


class Parrot(BaseChatModel):
    """A model class that the application wrote."""

    @property
    def _llm_type(self) -> str:
        return "parrot"

    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content="ok"))])

    def _stream(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        yield ChatGenerationChunk(message=AIMessageChunk(content="ok"))


@WAYS
@pytest.mark.usefixtures("with_content")
def test_a_model_without_an_sdk_has_those_of_the_object(
    way: Callable[[Any, asyncio.AbstractEventLoop], None],
    loop: asyncio.AbstractEventLoop,
    emission: Emission,
) -> None:
    model = Parrot(tags=["mine"], metadata={"tries": 2})
    way(ChatPromptTemplate.from_template("{it}") | model, loop)
    (name,) = (span.name for span in emission.spans if span.name.startswith("chat"))
    assert (root(emission), labels(emission, name)) == (GIVEN, OWN)


class Shelf(BaseRetriever):
    """A retriever that finds nothing."""

    def _get_relevant_documents(self, query: str, **kwargs: Any) -> list[Any]:
        return []


@pytest.mark.usefixtures("with_content")
def test_a_retriever_has_its_own(emission: Emission) -> None:
    def find(query: str) -> list[Any]:
        return Shelf(tags=["mine"], metadata={"tries": 2}).invoke(query)

    RunnableLambda(find).invoke("q", CONFIG)
    (name,) = (span.name for span in emission.spans if span.name.startswith("retrieval"))
    assert (root(emission), labels(emission, name)) == (GIVEN, OWN)


@pytest.mark.usefixtures("with_content")
def test_what_differs_from_the_run_above_is_own_and_secrets_are_none(emission: Emission) -> None:
    inner: Any = RunnableLambda(str).with_config(run_name="inner")
    both: Any = (inner | inner).with_config(
        run_name="both", tags=["beta", "new"], metadata={"customer": "other", "api_key": "s3"}
    )

    def call(text: str) -> Any:
        return both.invoke(text)

    RunnableLambda(call).invoke("q", CONFIG)
    assert labels(emission, "chain both") == (("new",), {"customer": "other"})
    assert "s3" not in emission.texts()


@pytest.mark.usefixtures("with_content")
def test_a_dictionary_is_not_repeated_by_the_nodes_that_get_a_copy(emission: Emission) -> None:
    nested: Any = {"metadata": {"plan": {"name": "pro", "parts": ["a", {"b": 1}]}}}
    compiled(first, name="g").invoke({"steps": []}, nested)
    assert set(root(emission)[1]) == {"plan"}
    assert labels(emission, "node first") == NONE


@pytest.mark.usefixtures("with_content")
def test_keys_and_tags_that_are_no_strings_are_recorded(emission: Emission) -> None:
    config: Any = {"tags": ["beta", 7], "metadata": {3: "acme", "k": "v"}}
    assert RunnableLambda(int).invoke("5", config) == 5
    assert root(emission) == (("beta", "7"), {"3": "acme", "k": "v"})


@pytest.mark.usefixtures("with_content")
def test_values_are_not_compared_by_the_application(emission: Emission) -> None:
    class Odd:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError("compared")

        __hash__ = None  # type: ignore[assignment]  # as of an array

    def call(text: str) -> Any:
        return add.invoke({"a": 1, "b": 2}, {"metadata": {"it": Odd()}})

    RunnableLambda(call).invoke("q", {"metadata": {"it": Odd()}})
    assert "it" in labels(emission, "execute_tool add")[1]
