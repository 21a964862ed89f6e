"""A table of every way to call every generating API of the Anthropic SDK."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import stainless_calls
from stainless_calls import Call, Sdk, Way

__all__ = ["CALLS", "MESSAGES", "SDK", "VERSION", "Call", "send", "ways"]

anthropic: Any = importlib.import_module("anthropic")
VERSION = tuple(int(part) for part in version("anthropic").split(".")[:2])
MESSAGES: list[Any] = [{"role": "user", "content": "Where is the Eiffel Tower?"}]
_MESSAGE: dict[str, Any] = {"model": "claude-4", "max_tokens": 100, "messages": MESSAGES}

CALLS = [Call("messages", "messages.create", _MESSAGE)]
if VERSION >= (1, 0):
    CALLS.append(Call("beta", "beta.messages.create", _MESSAGE))


def helper(sdk: Sdk, call: Call, url: str) -> None:
    def use(client: Any) -> None:
        with _helper(call, client)(**call.arguments) as events:
            assert events.get_final_message().content

    sdk.use(url, use)


def helper_async(sdk: Sdk, call: Call, url: str) -> None:
    async def use(client: Any) -> None:
        async with _helper(call, client)(**call.arguments) as events:
            async for _ in events.text_stream:
                pass

    sdk.use_async(url, use)


def _helper(call: Call, client: Any) -> Callable[..., Any]:
    return dataclasses.replace(call, method=call.method.replace(".create", ".stream")).of(client)


def send(client: Any, **arguments: Any) -> Any:
    """Request a message; return it, its stream, or an awaitable of either."""
    return client.messages.create(**{**_MESSAGE, **arguments})


CODES = {
    400: "invalid_request_error",
    401: "authentication_error",
    429: "rate_limit_error",
    500: "api_error",
}
SDK = Sdk(anthropic, "Anthropic", send, "base_url", CODES)


def ways() -> list[tuple[str, Way, Call, bool]]:
    """Return rows of name, function, call, and whether it streams."""
    return stainless_calls.ways(SDK, CALLS, helper, helper_async)
