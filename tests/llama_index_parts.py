"""What the tests of LlamaIndex build their applications of."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from llama_index.core import Document, VectorStoreIndex
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI
from packaging.version import Version

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["CHAT", "CORE", "EMBED", "MODEL", "add", "chat", "embedding", "index"]

CORE = Version(version("llama-index-core"))
MODEL = "gpt-4o"
CHAT = f"chat {MODEL}"
EMBED = "embeddings text-embedding-3-small"


def chat(model: ScriptedModel) -> OpenAI:
    """Return a chat model that sends to the scripted one."""
    return OpenAI(model=MODEL, api_key="none", api_base=model.openai_url, max_retries=0)


def embedding(model: ScriptedModel) -> OpenAIEmbedding:
    """Return an embedding model that sends to the scripted one."""
    return OpenAIEmbedding(
        model_name="text-embedding-3-small",
        api_key="none",
        api_base=model.openai_url,
        max_retries=0,
    )


def index(model: ScriptedModel, texts: Sequence[str] = ("red", "green")) -> Any:
    """Return an index of two documents."""
    documents = [Document(text=text) for text in texts]
    return VectorStoreIndex.from_documents(documents, embed_model=embedding(model))


def add_numbers(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


add = FunctionTool.from_defaults(fn=add_numbers, name="add")
