"""A table of every way to call the APIs of Groq's SDK."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import stainless_calls
from stainless_calls import Call, Sdk, Way

__all__ = ["CALLS", "MESSAGES", "SDK", "VERSION", "Call", "chat", "ways"]

groq: Any = import_module("groq")  # the environment that checks types here is without it
VERSION = tuple(int(part) for part in groq.__version__.split(".")[:2])
MESSAGES: list[Any] = [{"role": "user", "content": "Where is the Eiffel Tower?"}]
_CHAT: dict[str, Any] = {"model": "llama-3.3-70b-versatile", "messages": MESSAGES}

CALLS = [
    Call("chat", "chat.completions.create", _CHAT),
    Call("embeddings", "embeddings.create", {"model": "embed", "input": "text"}, streams=False),
]


def chat(client: Any, **arguments: Any) -> Any:
    """Send a chat request; return its response, its stream, or an awaitable of either."""
    return client.chat.completions.create(**{**_CHAT, **arguments})


CODES = {
    **dict.fromkeys((400, 401, 429), "invalid_request_error"),
    500: "internal_server_error",
}
SDK = Sdk(groq, "Groq", chat, "groq_url", CODES)


def ways() -> list[tuple[str, Way, Call, bool]]:
    """Return rows of name, function, call, and whether it streams."""
    return stainless_calls.ways(SDK, CALLS)
