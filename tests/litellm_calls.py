"""Every way to ask a model through LiteLLM, as one table."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["MESSAGES", "QUESTIONS", "VERSION", "Question", "litellm", "route"]

litellm: Any = importlib.import_module("litellm")  # its own types are of no use
MESSAGES: list[Any] = [{"role": "user", "content": "Where is the Eiffel Tower?"}]
_CHAT: dict[str, Any] = {"messages": MESSAGES}
_TOLD: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
VERSION = tuple(int(part) for part in version("litellm").split(".")[:2])
_HOSTS = {"anthropic": "base_url"}


@dataclass(frozen=True)
class Question:
    """One question: the function that asks it, the model, the arguments.

    ``sdk``: through the openai SDK.
    """

    function: str
    model: str
    arguments: dict[str, Any]
    sdk: bool = False
    name: str = ""

    @property
    def streamed(self) -> bool:
        """Whether the answer comes in pieces."""
        return bool(self.arguments.get("stream"))

    def ask(self, model: ScriptedModel) -> Any:
        """Ask, and read the answer to its end."""
        answer = getattr(litellm, self.function)(**self.arguments, **route(self.model, model))
        return list(answer) if self.streamed else answer

    async def ask_async(self, model: ScriptedModel) -> Any:
        """Ask the asynchronous twin."""
        function = getattr(litellm, f"a{self.function}")
        answer = await function(**self.arguments, **route(self.model, model))
        return [chunk async for chunk in answer] if self.streamed else answer

    def __str__(self) -> str:
        return f"{self.function} {self.model}{' stream' if self.streamed else ''}"


def route(name: str, model: ScriptedModel) -> dict[str, Any]:
    """The arguments that send a question about the model ``name`` to the scripted model."""
    host = _HOSTS.get(name.partition("/")[0], "openai_url")
    return {"model": name, "api_base": getattr(model, host), "api_key": "none", "max_retries": 0}


def _questions() -> Iterator[Question]:
    # That version reads the chunk that tells the usage in chats through the SDK alone.
    unhooked = {"stream": True} if VERSION < (1, 54) else _TOLD
    for name, sdk in (
        ("gpt-4o-mini", True),
        ("litellm_proxy/gpt-4o-mini", True),
        ("groq/qwen-qwq-32b", False),
        ("anthropic/claude-3-5-sonnet-20240620", False),
    ):
        yield Question("completion", name, _CHAT, sdk)
        told = unhooked if name.startswith("groq") else _TOLD
        yield Question("completion", name, {**_CHAT, **told}, sdk)
    for name, sdk in (("gpt-3.5-turbo-instruct", True), ("groq/qwen-qwq-32b", False)):
        yield Question("text_completion", name, {"prompt": "Say this"}, sdk)
        yield Question("text_completion", name, {"prompt": "Say this", **unhooked}, sdk)
    for name, sdk in (("text-embedding-3-small", True), ("jina_ai/jina-embeddings-v3", False)):
        yield Question("embedding", name, {"input": ["a text"]}, sdk)
    if hasattr(litellm, "responses"):
        yield Question("responses", "openai/gpt-4o-mini", {"input": "Hi"})
        yield Question("responses", "openai/gpt-4o-mini", {"input": "Hi", "stream": True})
        yield Question("responses", "anthropic/claude-3-5-sonnet-20240620", {"input": "Hi"})


QUESTIONS = list(_questions())
