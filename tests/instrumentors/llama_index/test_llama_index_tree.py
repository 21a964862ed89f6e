"""One run, one trace: engines, retrievers, synthesizers, chats, ingestion."""

from __future__ import annotations

import asyncio
import gc
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core import Document
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index_parts import (
    CHAT,
    CHATS,
    EMBED,
    add,
    attributes,
    billed,
    embedding,
    index,
    join_writers,
    talk,
)

from otel_agents.instrumentors import hosting
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")

Loop = asyncio.AbstractEventLoop
INGEST = ["ingest", f"  {EMBED}"]
QUERY = ["invoke_workflow", "  retrieval", f"    {EMBED}", f"  {CHAT}"]


def failures(emission: Emission) -> dict[str, object]:
    """Return the error type of each span that has one, by the span's name."""
    found = {span.name: (span.attributes or {}).get("error.type") for span in emission.spans}
    return {name: error for name, error in found.items() if error is not None}


def streamed(engine: Any, loop: Loop) -> str:
    return "".join(engine.query("Which?").response_gen)


async def read(engine: Any) -> str:
    response = await engine.aquery("Which?")
    return "".join([token async for token in response.response_gen])


async def called(engine: Any) -> str:
    return str(await engine.aquery("Which?"))


def test_a_query_retrieves_and_calls(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    engine = index(model).as_query_engine(llm=llm)
    assert str(engine.query("Which?")) == "Hello from the scripted model."
    assert emission.tree() == [*INGEST, *QUERY]
    assert emission.traces() == 2
    assert attributes(emission, "invoke_workflow") == [{"gen_ai.operation.name": "invoke_workflow"}]
    assert attributes(emission, "retrieval") == [
        {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.retrieval.top_k": 2,
        }
    ]
    (entry,) = [one for one in model.ledger.entries if one.api == "chat.completions"]
    assert billed(emission) == [(entry.input_tokens, entry.output_tokens)]


def test_an_async_query(llm: Any, loop: Loop, model: ScriptedModel, emission: Emission) -> None:
    engine = index(model).as_query_engine(llm=llm)
    assert loop.run_until_complete(called(engine)) == "Hello from the scripted model."
    assert emission.tree() == [*INGEST, *QUERY]


STREAMS: dict[str, Callable[[Any, Loop], str]] = {
    "query": streamed,
    "aquery": lambda engine, loop: loop.run_until_complete(read(engine)),
    "print": lambda engine, loop: str(engine.query("Which?")),
}


@pytest.mark.parametrize("way", STREAMS.values(), ids=STREAMS)
def test_a_streamed_query_is_one_trace(
    way: Callable[[Any, Loop], str],
    llm: Any,
    loop: Loop,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    engine = index(model).as_query_engine(llm=llm, streaming=True)
    assert way(engine, loop).strip() == "Hello from the scripted model."
    assert emission.tree() == [*INGEST, *QUERY]


def test_a_streamed_response_keeps_its_type(llm: Any, model: ScriptedModel) -> None:
    from llama_index.core.base.response.schema import StreamingResponse

    response = index(model).as_query_engine(llm=llm, streaming=True).query("Which?")
    assert type(response) is StreamingResponse
    assert len(response.source_nodes) == 2
    list(response.response_gen)


def test_an_async_streamed_response_keeps_its_type(
    llm: Any, loop: Loop, model: ScriptedModel
) -> None:
    from llama_index.core.base.response.schema import AsyncStreamingResponse

    engine = index(model).as_query_engine(llm=llm, streaming=True)

    async def main() -> Any:
        response = await engine.aquery("Which?")
        async for _ in response.response_gen:
            pass
        return response

    assert type(loop.run_until_complete(main())) is AsyncStreamingResponse


def test_a_stream_that_is_closed_is_abandoned(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    response = index(model).as_query_engine(llm=llm, streaming=True).query("Which?")
    next(response.response_gen)
    response.response_gen.close()
    hosting.drain_streams(5)
    assert emission.tree() == [*INGEST, *QUERY]
    (found,) = attributes(emission, "invoke_workflow")
    assert found["otel_agents.stream.abandoned"] is True


def test_a_stream_that_is_never_read_sends_nothing(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    response = index(model).as_query_engine(llm=llm, streaming=True).query("Which?")
    del response
    gc.collect()
    hosting.drain_streams(5)
    assert emission.tree() == [*INGEST, *QUERY[:3]]


def test_a_failing_query(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    engine = index(model).as_query_engine(llm=llm)
    model.script_by(lambda request: Failure(400))
    with pytest.raises(Exception, match="400"):
        engine.query("Which?")
    assert failures(emission) == dict.fromkeys(
        ("invoke_workflow", "retrieval", EMBED), "openai.BadRequestError"
    )


@pytest.mark.parametrize(
    ("mode", "steps"),
    [
        ("compact", [f"  {CHAT}"]),
        ("simple_summarize", [f"  {CHAT}"]),
        ("refine", ["  synthesize", f"    {CHAT}", f"    {CHAT}"]),
        ("accumulate", ["  synthesize", f"    {CHAT}", f"    {CHAT}"]),
        ("tree_summarize", [f"  {CHAT}"]),
    ],
)
def test_a_synthesizer_that_calls_twice_is_a_step(
    mode: str, steps: list[str], llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    index(model).as_query_engine(llm=llm, response_mode=mode).query("Which?")
    assert emission.tree() == [*INGEST, *QUERY[:3], *steps]


def test_a_summary_of_what_does_not_fit_in_one_call(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    from llama_index.core.indices.prompt_helper import PromptHelper
    from llama_index.core.response_synthesizers import TreeSummarize

    # ten words fit, and two texts do not
    helper = PromptHelper(context_window=400, num_output=10, chunk_overlap_ratio=0.0)
    texts = ["red " * 250, "green " * 250]
    TreeSummarize(llm=llm, prompt_helper=helper).get_response("Which?", texts)
    tree = emission.tree()
    assert tree[0] == "synthesize"
    assert set(tree[1:]) == {f"  {CHAT}"}
    assert len(tree) > 3
    assert emission.traces() == 1


# Chats.


@pytest.mark.parametrize("way", CHATS.values(), ids=CHATS)
def test_a_chat_is_one_trace(
    way: Callable[[Any, Loop], object], llm: Any, loop: Loop, emission: Emission
) -> None:
    way(talk(llm), loop)
    join_writers()
    assert emission.tree() == ["invoke_workflow", f"  {CHAT}"]
    assert emission.traces() == 1


def test_a_streamed_chat_keeps_its_type(llm: Any, loop: Loop) -> None:
    from llama_index.core.chat_engine.types import StreamingAgentChatResponse

    async def main() -> Any:
        response = await talk(llm).astream_chat("Hi")
        async for _ in response.async_response_gen():
            pass
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
        return response

    response = talk(llm).stream_chat("Hi")
    list(response.response_gen)
    join_writers()
    assert type(response) is StreamingAgentChatResponse
    assert type(loop.run_until_complete(main())) is StreamingAgentChatResponse


def test_a_streamed_chat_that_is_left(llm: Any, emission: Emission) -> None:
    response = talk(llm).stream_chat("Hi")
    next(response.response_gen)
    del response
    join_writers()  # which read it to the end
    assert emission.tree() == ["invoke_workflow", f"  {CHAT}"]


def test_a_streamed_chat_that_is_left_in_a_task(llm: Any, loop: Loop, emission: Emission) -> None:
    async def main() -> None:
        response = await talk(llm).astream_chat("Hi")
        async for _ in response.async_response_gen():
            break
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    loop.run_until_complete(main())
    assert emission.tree() == ["invoke_workflow", f"  {CHAT}"]


def test_a_streamed_chat_that_fails(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(400))
    with pytest.raises(Exception, match="400"):
        list(talk(llm).stream_chat("Hi").response_gen)
    join_writers()
    assert failures(emission) == dict.fromkeys(("invoke_workflow", CHAT), "openai.BadRequestError")


def test_a_streamed_chat_that_fails_before_the_engine_returns(
    llm: Any, model: ScriptedModel, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(thread: threading.Thread) -> None:
        threading.Thread.start(thread)
        thread.join()

    monkeypatch.setattr("llama_index.core.types.Thread.start", start)
    test_a_streamed_chat_that_fails(llm, model, emission)  # and see nothing_left


def test_a_chat_over_documents(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    engine = index(model).as_chat_engine(llm=llm, chat_mode="condense_question")
    engine.chat("Hi")
    engine.chat("Why?")
    query = ["  query", "    retrieval", f"      {EMBED}", f"    {CHAT}"]
    assert emission.tree() == [
        *INGEST,
        "invoke_workflow",
        *query,
        "invoke_workflow",
        f"  {CHAT}",
        *query,
    ]


# Tools and ingestion.


def test_a_model_that_calls_a_tool_is_one_trace(llm: Any, emission: Emission) -> None:
    assert str(llm.predict_and_call([add], "Add.")) == "2"
    assert emission.tree() == ["predict_and_call", f"  {CHAT}", "  execute_tool add"]


def test_a_tool_alone(emission: Emission) -> None:
    assert add(a=1, b=2).content == "3"
    assert emission.tree() == ["execute_tool add"]
    assert attributes(emission, "execute_tool add") == [
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "add",
            "gen_ai.tool.type": "function",
        }
    ]


def test_a_pipeline_is_one_trace(loop: Loop, model: ScriptedModel, emission: Emission) -> None:
    parts: list[Any] = [SentenceSplitter(), embedding(model)]
    pipeline = IngestionPipeline(name="docs", transformations=parts)
    pipeline.run(documents=[Document(text="red")])
    loop.run_until_complete(pipeline.arun(documents=[Document(text="green")]))
    assert emission.tree() == ["invoke_workflow docs", f"  {EMBED}"] * 2


def test_what_workers_get_is_pickled(model: ScriptedModel) -> None:
    embedder = embedding(model)
    assert pickle.loads(pickle.dumps(embedder)).to_dict() == embedder.to_dict()


def test_embeddings_of_workers(loop: Loop, model: ScriptedModel, emission: Emission) -> None:
    embedder = embedding(model)
    embedder.num_workers = 2
    embedder.embed_batch_size = 1

    async def main() -> None:
        parts: list[Any] = [embedder]
        documents = [Document(text=text) for text in ("red", "green", "blue")]
        await IngestionPipeline(name="docs", transformations=parts).arun(documents=documents)

    loop.run_until_complete(main())
    assert emission.tree() == ["invoke_workflow docs", *[f"  {EMBED}"] * 3]
    assert emission.traces() == 1
