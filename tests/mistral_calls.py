"""A table of every way to call a model through the Mistral SDK, in the installed version."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any
from unittest import mock

__all__ = [
    "CALLS",
    "CLOUDS",
    "MESSAGES",
    "MODULE",
    "VERSION",
    "Call",
    "Cloud",
    "Mistral",
    "connect",
    "transports",
    "ways",
]

VERSION = tuple(int(part) for part in version("mistralai").split(".")[:2])
MODULE = "mistralai.client" if VERSION >= (2, 0) else "mistralai"
Mistral: Any = importlib.import_module(MODULE).Mistral  # its types differ between versions
_httpx: Any = importlib.import_module("httpx2" if VERSION >= (3, 0) else "httpx")
MESSAGES: list[Any] = [{"role": "user", "content": "Where is the Eiffel Tower?"}]


def transports() -> dict[str, Any]:
    """Return HTTP clients that load no certificates, which takes longer than most tests."""
    return {
        "client": _httpx.Client(verify=False),
        "async_client": _httpx.AsyncClient(verify=False),
    }


def connect(url: str, **options: Any) -> Any:
    """Return a client that sends to ``url``."""
    return Mistral(api_key="none", server_url=url, **transports(), **options)


@dataclass(frozen=True)
class Call:
    """One request: the SDK's method and its arguments; ``streamed`` names the method that streams.

    ``span`` is the name of its span.
    """

    name: str
    span: str
    method: str
    arguments: dict[str, Any]
    streamed: str | None = None
    stream_arguments: dict[str, Any] = field(default_factory=dict[str, Any])

    def of(self, client: Any, method: str) -> Callable[..., Any]:
        """Return a bound method of ``client``."""
        owner = client
        for part in method.split("."):
            owner = getattr(owner, part)
        return owner


def _chat(name: str, span: str, resource: str, **arguments: Any) -> Call:
    return Call(name, span, f"{resource}.complete", arguments, f"{resource}.stream")


CALLS = [
    _chat("chat", "chat mistral-small", "chat", model="mistral-small", messages=MESSAGES),
    _chat("fim", "text_completion codestral", "fim", model="codestral", prompt="def f("),
    Call("embeddings", "embeddings embed", "embeddings.create", {"model": "embed", "inputs": "a"}),
]
_agent = _chat("agents", "chat", "agents", agent_id="ag_1", messages=MESSAGES)
CALLS.append(_agent if VERSION >= (1, 1) else replace(_agent, streamed=None))  # needs a model
if VERSION >= (1, 6):
    document = {"type": "document_url", "document_url": "https://example.com/a.pdf"}
    CALLS.append(
        Call("ocr", "generate_content ocr", "ocr.process", {"model": "ocr", "document": document})
    )
if VERSION >= (1, 8):
    start = {"model": "mistral-medium", "inputs": "Hi"}
    entry = {"type": "message.input", "role": "user", "content": "Hi"}
    append = {"conversation_id": "conv_1", "inputs": [entry]}
    for name, span, arguments in (
        ("start", "chat mistral-medium", start),
        ("append", "chat", append),
        ("restart", "chat", {**append, "from_entry_id": "entry_1"}),
    ):
        method = f"beta.conversations.{name}"
        CALLS.append(Call(name, span, method, arguments, f"{method}_stream"))
if VERSION >= (1, 10):
    upload = {"model": "voxtral", "file_url": "https://example.com/a.mp3"}
    span = "generate_content voxtral"
    CALLS.append(_chat("transcription", span, "audio.transcriptions", **upload))
if VERSION >= (2, 1):
    speech = {"model": "voxtral", "input": "Hi"}
    method = "audio.speech.complete"
    streamed = {"stream": True}
    CALLS.append(Call("speech", "generate_content voxtral", method, speech, method, streamed))
if VERSION >= (3, 4):
    arguments = {"model": "mistral-medium", "input": "Hi"}
    method = "responses.create"
    CALLS.append(
        Call("responses", "chat mistral-medium", method, arguments, method, {"stream": True})
    )
    resource = "beta.observability.judges.judge_conversation"
    verdict = {"judge_id": "1", "messages": MESSAGES}
    CALLS.append(Call("verdict", "generate_content", resource, verdict))
    definition: dict[str, Any] = {
        "name": "helpful",
        "description": "Whether it helps.",
        "model_name": "mistral-medium",
        "output": {
            "type": "CLASSIFICATION",
            "options": [{"value": "good", "description": "It does."}],
        },
        "instructions": "Be strict.",
        "tools": [],
    }
    record = {"dataset_record_id": "1", "judge_definition": definition}
    method = "beta.observability.datasets.records.judge"
    CALLS.append(Call("record-verdict", "generate_content mistral-medium", method, record))


def whole(call: Call, client: Any) -> None:
    call.of(client, call.method)(**call.arguments)


def whole_async(call: Call, client: Any) -> None:
    async def main() -> None:
        await call.of(client, f"{call.method}_async")(**call.arguments)

    asyncio.run(main())


def stream(call: Call, client: Any) -> None:
    assert call.streamed is not None
    for _ in call.of(client, call.streamed)(**call.arguments, **call.stream_arguments):
        pass


def stream_async(call: Call, client: Any) -> None:
    async def main() -> None:
        assert call.streamed is not None
        send = call.of(client, f"{call.streamed}_async")
        async for _ in await send(**call.arguments, **call.stream_arguments):
            pass

    asyncio.run(main())


def ways() -> list[tuple[str, Callable[[Call, Any], None], Call, bool]]:
    """Return every way of every call, each with a name and whether it streams."""
    return [
        (f"{call.name}-{way.__name__}", way, call, is_streamed)
        for call in CALLS
        for way, is_streamed in (
            (whole, False),
            (whole_async, False),
            *(((stream, True), (stream_async, True)) if call.streamed else ()),
        )
    ]


@dataclass(frozen=True)
class Cloud:
    """A cloud's client: the provider of its spans, and what makes one that sends to a URL."""

    name: str
    provider: str
    make: Callable[[str], Any]


def _azure(url: str) -> Any:
    if VERSION >= (2, 0):
        module = importlib.import_module("mistralai.azure.client")
        return module.MistralAzure(api_key="none", server_url=url, **transports())
    module = importlib.import_module("mistralai_azure")
    return module.MistralAzure(azure_api_key="none", azure_endpoint=url, **transports())


def _google(url: str) -> Any:
    """Return a client without credentials, which it would otherwise take from the environment."""
    if VERSION >= (2, 0):
        module = importlib.import_module("mistralai.gcp.client")
        known = {"project_id": "p", "region": "r", "access_token": "none"}
        return module.MistralGCP(**known, server_url=url, **transports())
    auth: Any = importlib.import_module("google.auth")
    credentials = importlib.import_module("google.auth.credentials").AnonymousCredentials()
    credentials.token = "none"
    module = importlib.import_module("mistralai_gcp")
    with mock.patch.object(auth, "default", return_value=(credentials, "p")):
        client = module.MistralGoogleCloud(region="r", **transports())
    client.sdk_configuration.server_url = url
    return client


CLOUDS = [
    Cloud("azure", "azure.ai.inference", _azure),
    Cloud("google", "gcp.vertex_ai", _google),
]
