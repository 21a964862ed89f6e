"""Model classes: the SDK below reports their calls; where there is none, this module does."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Message, ResponseFields, Usage
from otel_agents.instrumentors._dialects.fields import as_mapping, field, items, text
from otel_agents.instrumentors._dialects.framework_call import FrameworkCall
from otel_agents.instrumentors._dialects.parts import text_message
from otel_agents.instrumentors._dialects.providers import provider_name
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv.values import Operation, Provider

from ._messages import model_message, model_messages

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.base.llms.base import BaseLLM

__all__ = ["embeddings_call", "model_call"]

_PACKAGES: Final = ("llama_index.llms.", "llama_index.embeddings.")
_OWN: Final = "llama_index.core."
_PROVIDERS: Final = MappingProxyType(
    {
        "azure_inference": Provider.AZURE_AI_INFERENCE,
        "azure_openai": Provider.AZURE_AI_OPENAI,
        "google_genai": Provider.GCP_GEMINI,
        "mistralai": Provider.MISTRAL_AI,
        "vertex": Provider.GCP_VERTEX_AI,
    }
)
"""The packages of model classes whose names are not those of providers."""
_IN_PROCESS: Final = ("adapter", "clip", "fastembed", "huggingface", "instructor", "openvino")
"""The packages of embedding models that run in this process."""
_SETTINGS: Final = (
    *("temperature", "top_p", "top_k", "max_tokens", "seed", "stop"),
    *("frequency_penalty", "presence_penalty", "reasoning_effort"),
)
_URLS: Final = ("api_base", "base_url", "azure_endpoint", "endpoint")
_NAMES: Final = ("model", "model_name", "model_id")
_UNKNOWN: Final = "unknown"
_USAGES: Final = ("usage", "usage_metadata")
_INPUT: Final = ("prompt_tokens", "input_tokens", "prompt_token_count", "prompt_eval_count")
_OUTPUT: Final = (*("completion_tokens", "output_tokens", "candidates_token_count", "eval_count"),)


class _ModelCall(FrameworkCall):
    """One call of a model class: each one sends a request, except those of LlamaIndex's core."""

    def __init__(self, telemetry: Telemetry, call: Call, operation: Operation) -> None:
        model: Any = call.instance
        super().__init__(
            telemetry,
            {name: call.kwargs.get(name, getattr(model, name, None)) for name in _SETTINGS},
            model=_first_text(model, _NAMES) or _described(model),
            provider=_provider_of(model),
            server=_server_of(model),
            operation=operation,
            sends_itself=not type(model).__module__.startswith(_OWN),
            record_request=partial(_record_request, call),
        )
        self._last: Any = None

    def chunk(self, item: Any) -> object:
        """Keep the last item of a stream, which has the whole response."""
        if self._last is None:
            self.chunk_received()
            self.settings = {**self.settings, "stream": True}
        self._last = item
        return None

    def response_fields(self, response: Any) -> ResponseFields:
        """Return what the response has of the provider's."""
        response = self._last if response is None else response
        raw = getattr(response, "raw", None)
        reasons = [text(one, "finish_reason") for one in items(raw, "choices")]
        reason = text(raw, "finish_reason") or text(raw, "stop_reason") or text(raw, "done_reason")
        found = [one.lower() for one in reasons or [reason] if one]
        return ResponseFields(
            response_id=text(raw, "id"),
            model=text(raw, "model"),
            finish_reasons=tuple(found),
            usage=_usage_of(response, raw),
        )

    def output_messages(self, response: Any) -> list[Message]:
        """Return the response's message."""
        response = self._last if response is None else response
        if response is None:
            return []
        message = getattr(response, "message", None)
        if message is None:
            return [text_message("assistant", response.text)]
        return [{**model_message(message), "role": "assistant"}]


def model_call(telemetry: Telemetry, call: Call) -> FrameworkCall:
    """Claim ``BaseLLM.chat(messages)``, ``complete(prompt)`` and their streamed and async kinds."""
    completes = call.function.__name__.endswith("complete")
    operation = Operation.TEXT_COMPLETION if completes else Operation.CHAT
    return _ModelCall(telemetry, call, operation)


def embeddings_call(telemetry: Telemetry, call: Call) -> FrameworkCall:
    """Claim ``BaseEmbedding._get_text_embeddings(texts)`` and its kinds."""
    model: BaseEmbedding = call.instance
    provider = _provider_of(model)
    embeddings = FrameworkCall(
        telemetry,
        {},
        model=_first_text(model, _NAMES),
        provider=provider,
        server=_server_of(model),
        operation=Operation.EMBEDDINGS,
        sends_itself=not type(model).__module__.startswith(_OWN),
    )
    embeddings.in_process = provider in _IN_PROCESS
    return embeddings


def _record_request(call: Call, content: Content) -> None:
    sent = call.args[0] if call.args else call.kwargs.get("messages", call.kwargs.get("prompt"))
    if isinstance(sent, str):
        content.input_messages = [text_message("user", sent)]
    elif sent:
        content.input_messages = model_messages(sent)


def _first_text(model: Any, names: tuple[str, ...]) -> str | None:
    return next((found for name in names if (found := text(model, name))), None)


def _described(model: BaseLLM) -> str | None:
    """Return the name in the description of a model that has it in no field."""
    with suppress(Exception):  # the application computes it
        name = text(model.metadata, "model_name")
        return None if name == _UNKNOWN else name
    return None


def _server_of(model: BaseLLM | BaseEmbedding) -> tuple[str, int] | None:
    url = _first_text(model, _URLS)
    return server_of(url) if url else None


def _provider_of(model: BaseLLM | BaseEmbedding) -> str | None:
    """Return the provider, which is the name of the package of LlamaIndex's class."""
    for kind in type(model).__mro__:
        for package in _PACKAGES:
            if kind.__module__.startswith(package):
                name = kind.__module__.removeprefix(package).partition(".")[0]
                return provider_name(name, _PROVIDERS)
    return None


def _usage_of(response: Any, raw: Any) -> Usage | None:
    extra = as_mapping(getattr(response, "additional_kwargs", None))
    for holder in (*(field(raw, name) for name in _USAGES), raw, extra):
        inputs, outputs = _count(holder, _INPUT), _count(holder, _OUTPUT)
        if inputs is not None or outputs is not None:
            return Usage(inputs, outputs, {})
    return None


def _count(holder: Any, names: tuple[str, ...]) -> int | None:
    counts = (field(holder, name) for name in names)
    return next((count for count in counts if isinstance(count, int)), None)
