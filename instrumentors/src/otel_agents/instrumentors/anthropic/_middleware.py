"""Clients with middleware, since 0.108: what it sends is recorded below it, each attempt by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.context import ownership
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import WireFormat
from otel_agents.instrumentors._dialects.fields import text
from otel_agents.instrumentors._sdks.middleware import (
    Attempt,
    MiddlewareCall,
    call_of,
    current_call,
    key_of,
)
from otel_agents.instrumentors._sdks.stainless import (
    body_of,
    options_of,
    propagate,
    replace_options,
)
from otel_agents.semconv.values import Operation

from . import _own_spans, _requests, _runner

if TYPE_CHECKING:
    from anthropic import Anthropic, AsyncAnthropic

    _Client = Anthropic | AsyncAnthropic

__all__ = ["attempt", "request"]


def _has_middleware(client: _Client) -> bool:
    return bool(getattr(client, "_middleware", ()))


def request(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Observe ``SyncAPIClient.request(cast_to, options, …)`` or its async twin."""
    client: _Client = call.instance
    if _own_spans.are_preferred(telemetry, client):
        return None
    options: Any = options_of(call)
    if not _has_middleware(client) or _requests.SDK.api_of(options) is None:
        return _requests.request(telemetry, call)
    outer = _runner.parent_for(telemetry, client) or get_current()
    ownership.take(Operation.CHAT, outer)  # what the middleware does not send, no layer above has
    observed = MiddlewareCall(_own_spans.silenced(telemetry, client, outer))
    replace_options(call, idempotency_key=key_of(options, observed, client))
    return observed


def attempt(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Observe ``SyncAPIClient._attempt_request(options, …)`` or its async twin."""
    client: _Client = call.instance
    if not _has_middleware(client) or _own_spans.are_preferred(telemetry, client):
        return None
    options: Any = options_of(call)
    api = _requests.SDK.api_of(options)
    if api is None:
        return None
    known = call_of(options)
    number: int = call.kwargs.get("retries_taken", 0)
    resumed = known.resume(number, text(body_of(options), "model")) if known is not None else None
    started = resumed or _start(telemetry, call, api, known)
    started.number = number
    propagate(telemetry, call, _requests.ENDPOINTS.of(client).host, started.context)
    return started


def _start(
    telemetry: Telemetry, call: Call, api: WireFormat, known: MiddlewareCall | None
) -> Attempt:
    client: _Client = call.instance
    parent = _parent(telemetry, client, known)
    generation = _requests.SDK.infer(telemetry, call, options_of(call), api, parent)
    _own_spans.adopt(telemetry, client, generation)
    return Attempt(generation, known, client)


def _parent(telemetry: Telemetry, client: _Client, known: MiddlewareCall | None) -> Context:
    """Return the current context, or that of the call where a middleware left it.

    It left it on another thread, or where the client's own span is current.
    """
    if known is None or (current_call() is known and not _own_spans.are_kept(telemetry, client)):
        return get_current()
    return known.context
