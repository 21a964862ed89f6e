"""A table of every way to call a model through LiteLLM."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["MESSAGES", "REQUESTS", "VERSION", "Request", "litellm", "route"]

litellm: Any = importlib.import_module("litellm")  # its types are incomplete
MESSAGES: list[Any] = [{"role": "user", "content": "Where is the Eiffel Tower?"}]
_CHAT: dict[str, Any] = {"messages": MESSAGES}
_WITH_USAGE: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
VERSION = tuple(int(part) for part in version("litellm").split(".")[:2])
_HOSTS = {"anthropic": "base_url"}


@dataclass(frozen=True)
class Request:
    """One request: LiteLLM's function, the model, the arguments.

    ``sdk`` if LiteLLM sends it through the openai SDK.
    """

    function: str
    model: str
    arguments: dict[str, Any]
    sdk: bool = False
    name: str = ""

    @property
    def streamed(self) -> bool:
        """Whether the response is streamed."""
        return bool(self.arguments.get("stream"))

    def send(self, model: ScriptedModel) -> Any:
        """Send, and read the response to its end."""
        response = getattr(litellm, self.function)(**self.arguments, **route(self.model, model))
        return list(response) if self.streamed else response

    async def send_async(self, model: ScriptedModel) -> Any:
        """Send by the async twin."""
        function = getattr(litellm, f"a{self.function}")
        response = await function(**self.arguments, **route(self.model, model))
        return [chunk async for chunk in response] if self.streamed else response

    def __str__(self) -> str:
        return f"{self.function} {self.model}{' stream' if self.streamed else ''}"


def route(name: str, model: ScriptedModel) -> dict[str, Any]:
    """Return the arguments that send a request for the model ``name`` to the scripted model."""
    host = _HOSTS.get(name.partition("/")[0], "openai_url")
    return {"model": name, "api_base": getattr(model, host), "api_key": "none", "max_retries": 0}


def _requests() -> Iterator[Request]:
    # 1.53 reads the chunk with usage only in chats through the SDK.
    unhooked = {"stream": True} if VERSION < (1, 54) else _WITH_USAGE
    for name, sdk in (
        ("gpt-4o-mini", True),
        ("litellm_proxy/gpt-4o-mini", True),
        ("groq/qwen-qwq-32b", False),
        ("anthropic/claude-3-5-sonnet-20240620", False),
    ):
        yield Request("completion", name, _CHAT, sdk)
        streamed = unhooked if name.startswith("groq") else _WITH_USAGE
        yield Request("completion", name, {**_CHAT, **streamed}, sdk)
    for name, sdk in (("gpt-3.5-turbo-instruct", True), ("groq/qwen-qwq-32b", False)):
        yield Request("text_completion", name, {"prompt": "Say this"}, sdk)
        yield Request("text_completion", name, {"prompt": "Say this", **unhooked}, sdk)
    for name, sdk in (("text-embedding-3-small", True), ("jina_ai/jina-embeddings-v3", False)):
        yield Request("embedding", name, {"input": ["a text"]}, sdk)
    if hasattr(litellm, "responses"):
        yield Request("responses", "openai/gpt-4o-mini", {"input": "Hi"})
        yield Request("responses", "openai/gpt-4o-mini", {"input": "Hi", "stream": True})
        yield Request("responses", "anthropic/claude-3-5-sonnet-20240620", {"input": "Hi"})


REQUESTS = list(_requests())
