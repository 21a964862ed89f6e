"""Model calls, one for each attempt below DSPy's cache, whatever engine sends it.

DSPy's own engine sends by itself: its attempts are spans from the start. An attempt over LiteLLM or
an SDK is reported by its instrumentor, and here where there is none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import unfinished
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Message, ResponseFields
from otel_agents.instrumentors._dialects.fields import as_mapping, field, text
from otel_agents.instrumentors._dialects.framework_call import FrameworkCall
from otel_agents.instrumentors._dialects.openai.chat import CHAT, choice_finish_reasons
from otel_agents.instrumentors._dialects.openai.usage import usage_of
from otel_agents.instrumentors._dialects.providers import provider_name
from otel_agents.instrumentors._dialects.servers import server_of

from ._endpoints import Endpoint, native_endpoint
from ._messages import native_fields, native_messages

if TYPE_CHECKING:
    from ._types import LM, PreparedCall, Request, State

__all__ = ["attempt", "chunk_received", "custom_model", "over_litellm"]

_CHOICES: Final = "n"
_ENGINES: Final = "dspy.clients.engines."
_NATIVE: Final = f"{_ENGINES}lm15_engine"
_DUMMY: Final = (f"{_ENGINES}dummy_engine", "dspy.utils.dummies")
"""The modules of what responds without a model, for tests."""
_LITELLM: Final = f"{_ENGINES}litellm_engine"
_MOCKED: Final = "mock_response"


class _ModelCall(FrameworkCall):
    """One attempt whose response is in the format of OpenAI's API."""

    def response_fields(self, response: Any) -> ResponseFields:
        """Return what the response reports, if there is one."""
        if response is None:
            return ResponseFields()
        return ResponseFields(
            response_id=text(response, "id"),
            model=text(response, "model"),
            finish_reasons=choice_finish_reasons(response),
            usage=usage_of(field(response, "usage")),
        )

    def output_messages(self, response: Any) -> list[Message]:
        """Return the messages of the response."""
        return CHAT.output_messages(response) if response is not None else []


class _Attempt(_ModelCall):
    """One attempt of DSPy 3.4 and newer, which keeps its response in a state of its own."""

    def __init__(self, *args: Any, state: State, native: str | None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._state = state
        self._native = native

    def returned(self, value: Any) -> Any:
        """Complete the call; its function returns nothing."""
        super().returned(value)
        return value

    def response_id(self, response: Any) -> str | None:
        """Return the provider's id of the response."""
        return self.response_fields(response).response_id

    def response_fields(self, response: Any) -> ResponseFields:
        """Return what the response in the state reports."""
        native = self._state.response
        if native is not None:
            return native_fields(native, self._native)
        return super().response_fields(self._raw())

    def output_messages(self, response: Any) -> list[Message]:
        """Return the messages of the response in the state."""
        native = self._state.response
        return (
            native_messages(native) if native is not None else super().output_messages(self._raw())
        )

    def _raw(self) -> Any:
        return getattr(self._state.result, "raw", None)


_SENDING: Final = Slot("dspy-attempt", _Attempt)


def attempt(telemetry: Telemetry, call: Call) -> FrameworkCall | None:
    """Start at ``_attempt(lm, call, backend, request, provider, state, results)``."""
    lm, prepared, backend, request, provider, state = call.args[:6]
    engine = type(backend).__module__
    if engine in _DUMMY or type(lm).__module__ in _DUMMY:
        return None
    settings = _settings(prepared, request)
    if _streams():
        settings["stream"] = True
    native = engine == _NATIVE
    endpoint = _endpoint(lm, backend, request, provider)
    started = _Attempt(
        telemetry,
        settings,
        model=endpoint.model,
        provider=endpoint.provider,
        server=endpoint.server,
        sends_itself=prepared.legacy.get(_MOCKED) is None,
        record_request=partial(_record_request, prepared),
        state=state,
        native=provider if native else None,
    )
    if native:
        span = started.start(endpoint.server)
        if span is not None:
            started.context = span.context
    started.context = _SENDING.set(started, started.context)
    return started


def chunk_received(telemetry: Telemetry, call: Call) -> None:
    """Observe ``StreamAccumulator.push(event)``, which every streamed attempt calls."""
    sending = unfinished(_SENDING)
    if sending is not None:
        sending.chunk_received()


def _endpoint(lm: LM, backend: Any, request: Request | None, provider: str | None) -> Endpoint:
    engine = type(backend).__module__
    if engine == _NATIVE and request is not None:
        return native_endpoint(backend, request, provider)
    if engine != _LITELLM:
        return Endpoint(lm.model)
    options = as_mapping(backend.client_options)
    return _routed(lm.model, options.get("api_base") or options.get("base_url"))


def _routed(model: str, url: Any) -> Endpoint:
    """Return what LiteLLM's name of a model says: ``provider/model``."""
    head, _, rest = model.partition("/")
    server = server_of(url) if url else None
    return Endpoint(rest, provider_name(head), server) if rest else Endpoint(model, None, server)


def _settings(prepared: PreparedCall, request: Request | None) -> dict[str, Any]:
    """Return the request's settings; DSPy's own engine sends one request for each choice."""
    if prepared.request is not None:
        config = prepared.request.config
        return {name: getattr(config, name, None) for name in type(config).__dataclass_fields__}
    dropped = () if request is None else (_CHOICES,)
    return {name: value for name, value in prepared.legacy.items() if name not in dropped}


def _streams() -> bool:
    return import_module("dspy").settings.send_stream is not None


def _record_request(prepared: PreparedCall, content: Content) -> None:
    body: Mapping[str, Any] = prepared.legacy
    if prepared.request is not None:
        boundary = import_module("dspy.clients.lm15_boundary")
        body = as_mapping(boundary.request_kwargs(prepared.request, "chat"))
    CHAT.record_request(content, body)


def over_litellm(telemetry: Telemetry, call: Call) -> FrameworkCall | None:
    """Start at ``litellm_completion(request, …)`` and its kin of before 3.4, below DSPy's cache."""
    if as_mapping(call.kwargs.get("cache")).get("no-cache") is False:
        return None  # the cache is LiteLLM's, before 2.6: LiteLLM knows what it sends
    request = call.argument(0, "request")
    body = as_mapping(json.loads(request) if isinstance(request, str) else request)
    endpoint = _routed(str(body.get("model")), body.get("api_base") or body.get("base_url"))
    return _ModelCall(
        telemetry,
        dict(body),
        model=endpoint.model,
        provider=endpoint.provider,
        server=endpoint.server,
        sends_itself=body.get(_MOCKED) is None,
        record_request=lambda content: CHAT.record_request(content, body),
    )


def custom_model(telemetry: Telemetry, call: Call) -> FrameworkCall | None:
    """Start at ``BaseLM.forward(prompt, messages, **settings)`` of classes that the application wrote.

    From 3.4 on it is part of an attempt, unless the application calls it itself.
    """
    lm: LM = call.instance
    if type(lm).__module__.partition(".")[0] == "dspy" or unfinished(_SENDING) is not None:
        return None
    prompt, messages = call.argument(0, "prompt"), call.argument(1, "messages")
    body = {**lm.kwargs, **call.kwargs}
    body["messages"] = messages or [{"role": "user", "content": prompt}]
    return _ModelCall(
        telemetry,
        body,
        model=lm.model,
        record_request=lambda content: CHAT.record_request(content, body),
    )
