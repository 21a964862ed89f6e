"""Clients of Bedrock, and a table of the ways to send a request to a model."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

__all__ = [
    "BODIES",
    "CONVERSATION",
    "HAS_AIOBOTOCORE",
    "HAS_CONVERSE",
    "Body",
    "client_of",
    "run_async",
    "ways",
]

MODEL = "us.anthropic.claude-v1:0"
CONVERSATION: dict[str, Any] = {
    "modelId": MODEL,
    "messages": [{"role": "user", "content": [{"text": "Where is the Eiffel Tower?"}]}],
}
HAS_AIOBOTOCORE = importlib.util.find_spec("aiobotocore") is not None
_BOTO3: Any = import_module("boto3")  # by name: only some environments have it
HAS_CONVERSE = tuple(map(int, _BOTO3.__version__.split(".")[:2])) >= (1, 35)

_CLIENT: Any = {
    "region_name": "us-east-1",
    "aws_access_key_id": "none",
    "aws_secret_access_key": "none",
}
_ONCE: Any = {"retries": {"total_max_attempts": 1}}
_SESSION: Any = _BOTO3.Session()  # it keeps the services' models, which are slow to read


def client_of(url: str, service: str = "bedrock-runtime", **config: Any) -> Any:
    """Return a client of a service; it does not retry unless `config` has ``retries``."""
    chosen = import_module("botocore.config").Config(**{**_ONCE, **config})
    return _SESSION.client(service, endpoint_url=url, config=chosen, **_CLIENT)


@functools.cache
def _async_session() -> Any:
    return import_module("aiobotocore.session").get_session()


def run_async(
    url: str,
    use: Callable[[Any], Awaitable[Any]],
    service: str = "bedrock-runtime",
    **config: Any,
) -> Any:
    """Run ``use(client)`` with a client of aiobotocore, in an event loop of its own."""

    async def main() -> Any:
        chosen = import_module("aiobotocore.config").AioConfig(**{**_ONCE, **config})
        creating = _async_session().create_client(
            service, endpoint_url=url, config=chosen, **_CLIENT
        )
        async with creating as client:
            return await use(client)

    return asyncio.run(main())


@dataclass(frozen=True)
class Body:
    """A request in a model's own format; `operation` is that of its span."""

    name: str
    model: str
    operation: str
    body: dict[str, Any]

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of ``invoke_model``."""
        return {"modelId": self.model, "body": json.dumps(self.body)}


_CHAT = {"messages": [{"role": "user", "content": "Hi"}]}
_NOVA = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
_PROMPT = {"prompt": "Hi"}
BODIES = [
    Body(
        "anthropic",
        "anthropic.claude-v1:0",
        "chat",
        {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, **_CHAT},
    ),
    Body("titan", "amazon.titan-text-lite-v1", "text_completion", {"inputText": "Hi"}),
    Body("nova", "us.amazon.nova-lite-v1:0", "chat", _NOVA),
    Body("llama", "meta.llama3-8b-instruct-v1:0", "text_completion", _PROMPT),
    Body("mistral", "mistral.mistral-7b-instruct-v0:2", "text_completion", _PROMPT),
    Body("mistral-chat", "mistral.mistral-large-2402-v1:0", "chat", _CHAT),
    Body("command", "cohere.command-text-v14", "text_completion", _PROMPT),
    Body("command-r", "cohere.command-r-v1:0", "chat", {"message": "Hi"}),
    Body("jamba", "ai21.jamba-1-5-mini-v1:0", "chat", _CHAT),
    Body("deepseek", "us.deepseek.r1-v1:0", "text_completion", _PROMPT),
    Body("deepseek-chat", "deepseek.v3-v1:0", "chat", _CHAT),
    Body("openai", "openai.gpt-oss-20b-1:0", "chat", _CHAT),
    Body("unknown", "somebody.model-v1", "generate_content", {"input": "Hi"}),
]


def _converse(url: str) -> None:
    client_of(url).converse(**CONVERSATION)


def _converse_stream(url: str) -> None:
    list(client_of(url).converse_stream(**CONVERSATION)["stream"])


def _converse_async(url: str) -> None:
    run_async(url, lambda client: client.converse(**CONVERSATION))


def _converse_stream_async(url: str) -> None:
    async def use(client: Any) -> None:
        async for _ in (await client.converse_stream(**CONVERSATION))["stream"]:
            pass

    run_async(url, use)


def _invoke(body: Body) -> Callable[[str], None]:
    return lambda url: client_of(url).invoke_model(**body.arguments)["body"].read()


def _invoke_in_chunks(url: str) -> None:
    list(client_of(url).invoke_model(**BODIES[0].arguments)["body"].iter_chunks(7))


def _invoke_stream(body: Body) -> Callable[[str], None]:
    def way(url: str) -> None:
        list(client_of(url).invoke_model_with_response_stream(**body.arguments)["body"])

    return way


def _invoke_async(url: str) -> None:
    async def use(client: Any) -> None:
        response = await client.invoke_model(**BODIES[0].arguments)
        async with response["body"] as body:
            await body.read()

    run_async(url, use)


def _invoke_stream_async(url: str) -> None:
    async def use(client: Any) -> None:
        response = await client.invoke_model_with_response_stream(**BODIES[0].arguments)
        async for _ in response["body"]:
            pass

    run_async(url, use)


def ways() -> list[tuple[str, Callable[[str], None], bool]]:
    """Return rows of name, function of an endpoint's URL, and whether it streams."""
    rows: list[tuple[str, Callable[[str], None], bool]] = [
        ("invoke-in-chunks", _invoke_in_chunks, False)
    ]
    for body in BODIES:
        rows.append((f"invoke-{body.name}", _invoke(body), False))
        rows.append((f"invoke-stream-{body.name}", _invoke_stream(body), True))
    if HAS_AIOBOTOCORE:
        rows.append(("invoke-async", _invoke_async, False))
        rows.append(("invoke-stream-async", _invoke_stream_async, True))
    if HAS_CONVERSE:
        rows.append(("converse", _converse, False))
        rows.append(("converse-stream", _converse_stream, True))
    if HAS_CONVERSE and HAS_AIOBOTOCORE:
        rows.append(("converse-async", _converse_async, False))
        rows.append(("converse-stream-async", _converse_stream_async, True))
    return rows
