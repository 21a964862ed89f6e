"""What the tests of LlamaIndex build their applications of, in whatever version is installed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from llama_index.core import Document, VectorStoreIndex
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai import OpenAIEmbedding  # pyright: ignore[reportMissingTypeStubs]  it has no py.typed
from llama_index.llms.openai import OpenAI
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = [
    "CHAT",
    "CORE",
    "EMBED",
    "MODEL",
    "WORKFLOWS",
    "add",
    "attributes",
    "billed",
    "chat",
    "embedding",
    "index",
    "talk",
]

CORE = Version(version("llama-index-core"))


def installed_workflows() -> Version:
    """Return the version of the workflows; that of the core where they are part of it is 0."""
    try:
        return Version(version("llama-index-workflows"))
    except PackageNotFoundError:
        return Version("0")


WORKFLOWS = installed_workflows()
MODEL = "gpt-4o"  # the oldest version refuses a model that it does not know
CHAT = f"chat {MODEL}"
EMBED = "embeddings text-embedding-3-small"


def chat(model: ScriptedModel) -> OpenAI:
    """Return a chat model that sends to the scripted one."""
    return OpenAI(model=MODEL, api_key="none", api_base=model.openai_url, max_retries=0)


def talk(llm: Any) -> Any:
    """Return a chat engine over nothing but the model."""
    return SimpleChatEngine.from_defaults(llm=llm)


def embedding(model: ScriptedModel) -> OpenAIEmbedding:
    """Return an embedding model that sends to the scripted one."""
    settings: dict[str, Any] = {"api_key": "none", "api_base": model.openai_url, "max_retries": 0}
    return OpenAIEmbedding(model_name="text-embedding-3-small", **settings)


def index(model: ScriptedModel, texts: Sequence[str] = ("red", "green")) -> Any:
    """Return an index of a document for each text."""
    documents = [Document(text=text) for text in texts]
    return VectorStoreIndex.from_documents(documents, embed_model=embedding(model))


def sum_of(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


add = FunctionTool.from_defaults(fn=sum_of, name="add")


def attributes(emission: Emission, name: str) -> list[dict[str, Any]]:
    """Return the attributes of the spans named ``name``, in the order of their start."""
    spans = sorted(emission.spans, key=lambda span: span.start_time or 0)
    return [dict(span.attributes or {}) for span in spans if span.name == name]


def billed(emission: Emission) -> list[tuple[Any, Any]]:
    """Return the tokens of each chat; streams have none, since LlamaIndex does not ask for them."""
    return [
        (found.get("gen_ai.usage.input_tokens"), found.get("gen_ai.usage.output_tokens"))
        for found in attributes(emission, CHAT)
    ]


def join_writers() -> None:
    """Wait for the threads that write streamed responses to the memory."""
    for thread in threading.enumerate():
        if type(thread).__module__.startswith("llama_index"):
            thread.join(5)


async def achat(engine: Any) -> None:
    await engine.achat("Hi")


async def astream(engine: Any) -> None:
    response = await engine.astream_chat("Hi")
    async for _ in response.async_response_gen():
        pass
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))


CHATS: dict[str, Callable[[Any, asyncio.AbstractEventLoop], object]] = {
    "chat": lambda engine, loop: engine.chat("Hi"),
    "achat": lambda engine, loop: loop.run_until_complete(achat(engine)),
    "stream": lambda engine, loop: list(engine.stream_chat("Hi").response_gen),
    "astream": lambda engine, loop: loop.run_until_complete(astream(engine)),
}
"""The ways to chat with an engine."""
