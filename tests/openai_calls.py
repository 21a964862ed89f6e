"""A table of every way to call every generating API of the OpenAI SDK."""

from __future__ import annotations

from typing import Any

import openai
import stainless_calls
from stainless_calls import Call, Sdk, Way

__all__ = ["CALLS", "MESSAGES", "SDK", "VERSION", "Call", "send", "ways"]

VERSION = tuple(int(part) for part in openai.__version__.split(".")[:2])
MESSAGES: list[Any] = [{"role": "user", "content": "Where is the Eiffel Tower?"}]
_OPTIONS: dict[str, Any] = {"stream_options": {"include_usage": True}}
_USAGE = _OPTIONS if VERSION >= (1, 26) else {"extra_body": _OPTIONS}  # 1.26 added the parameter
_CHAT: dict[str, Any] = {"model": "gpt-4o-mini", "messages": MESSAGES}

CALLS = [
    Call("chat", "chat.completions.create", _CHAT, streamed=_USAGE),
    Call(
        "completions",
        "completions.create",
        {"model": "davinci", "prompt": "Say this"},
        streamed=_USAGE,
    ),
    Call("embeddings", "embeddings.create", {"model": "embed-3", "input": "text"}, streams=False),
]
if VERSION >= (1, 66):
    CALLS.append(Call("responses", "responses.create", {"model": "gpt-4o-mini", "input": "Hi"}))
if VERSION >= (2, 54):
    compaction = {"model": "gpt-5", "input": MESSAGES}
    CALLS.append(Call("compaction", "responses.compact", compaction, streams=False))
if VERSION >= (3, 54):
    predicates = [{"type": "predicate", "name": "near", "predicate": "Is it near?"}]
    decision: dict[str, Any] = {"model": "gpt-6-luna", "input": "Paris", "questions": predicates}
    CALLS.append(Call("decision", "decisions.create", decision, streams=False))


def send(client: Any, **arguments: Any) -> Any:
    """Send a chat request; return its response, its stream, or an awaitable of either."""
    return client.chat.completions.create(**{**_CHAT, **arguments})


SDK = Sdk(openai, "OpenAI", send, "openai_url")


def ways() -> list[tuple[str, Way, Call, bool]]:
    """Return rows of name, function, call, and whether it streams."""
    return stainless_calls.ways(SDK, CALLS)
