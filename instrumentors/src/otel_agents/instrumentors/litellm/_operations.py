"""LiteLLM's operations: a claim around each model call, and a span where LiteLLM itself sends it.

The patched functions lie below LiteLLM's cache, retries and fallbacks, so each attempt is a call of
its own. ``Logging.pre_call`` is the evidence that a request is sent; LiteLLM's HTTP client and its
Rust core are the evidence that no SDK sends it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.telemetry.propagation import headers_for
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import Body, field, text
from otel_agents.instrumentors._dialects.servers import server_of

from ._callbacks import preferred_callback
from ._calls import ROUTED_CALL, RoutedCall, current_call
from ._functions import ROUTES, Function, is_asynchronous
from ._stream_usage import request_usage

if TYPE_CHECKING:
    import httpx

    from ._types import CustomStreamWrapper, Logging, PublicDispatch

__all__ = [
    "anthropic_chunk_parser",
    "chunk_parser",
    "custom_provider",
    "model_call",
    "post",
    "pre_call",
    "rust_dispatch",
    "stream_wrapper",
]

_BEFORE_HEADERS: Final = 4
"""Positional parameters of ``post`` before ``headers``: url, data, json, params."""


def model_call(function: Function, telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Observe one of `FUNCTIONS` or its async twin."""
    outer = current_call()
    flagged = call.kwargs.get(function.flag) is True
    if flagged and outer is not None and outer.function is function:
        return None  # the async twin runs this function, and is observed already
    arguments = function.arguments(call)
    if arguments is None:
        return Observation(ROUTED_CALL.set(None))
    preferred = preferred_callback(telemetry)
    if preferred is not None:
        return Observation(ROUTED_CALL.set(None, preferred))
    asynchronous = flagged or is_asynchronous(call.function)
    return RoutedCall(telemetry, function, arguments, asynchronous)


def rust_dispatch(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Observe ``PublicDispatch.run(args, kwargs, python=…)``, which chooses Rust core or Python."""
    dispatch: PublicDispatch = call.instance
    route: str = getattr(dispatch.route, "_value_", "")  # an enumeration's `value` is two calls
    function = ROUTES.get(route)
    if function is None or not _may_use_core(call):
        return None
    args, kwargs = call.args
    arguments = function.arguments(Call(call.kwargs["python"], None, args, dict(kwargs)))
    if arguments is None:
        return None
    asynchronous = is_asynchronous(call.function)
    by_core = RoutedCall(telemetry, function, arguments, asynchronous)
    by_core.native = True
    return by_core


def _may_use_core(call: Call) -> bool:
    """Return whether LiteLLM's rules let the Rust core serve a route; 1.110 can say it."""
    catalog = sys.modules.get("litellm.rust_bridge.catalog")
    may_handle = getattr(catalog, "rust_might_handle", None)
    if catalog is None or may_handle is None:
        return True
    return may_handle(call.instance.route, call.kwargs.get("rules") or catalog.RULES)


def pre_call(telemetry: Telemetry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Record that LiteLLM is about to send, after its ``Logging.pre_call(input, api_key, …)``."""
    current = current_call()
    if current is not None:
        logging: Logging = args[0]
        current.about_to_send(logging, kwargs.get("additional_args"))


def post(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Start the span of a request of LiteLLM's ``HTTPHandler.post(url, …)``, sync or async."""
    current = current_call()
    url: httpx.URL | str = call.argument(0, "url")
    started = current.start(server_of(url)) if current is not None else None
    if current is None or started is None:
        return None
    may_add = telemetry.settings.propagate_headers and len(call.args) <= _BEFORE_HEADERS
    if may_add and current.server is not None:
        carrier = headers_for(telemetry, current.server[0], started.context)
        if carrier:
            headers: dict[str, Any] = {**(call.kwargs.get("headers") or {}), **carrier}
            call.kwargs = {**call.kwargs, "headers": headers}
    if telemetry.settings.stream_usage:
        request_usage(call, url, current)
    return Observation(started.context, failed=current.send_failed)


def custom_provider(telemetry: Telemetry, call: Call) -> None:
    """Record that a provider of the application runs: ``CustomLLM.completion(…)`` and the like.

    That is the evidence of sending: LiteLLM makes no `pre_call` for it.
    """
    current = current_call()
    logging: Logging | None = call.kwargs.get("logging_obj")
    if current is not None and logging is not None:
        current.about_to_send(logging, call.kwargs)


def stream_wrapper(telemetry: Telemetry, call: Call) -> None:
    """Remember the ``CustomStreamWrapper`` that LiteLLM returns for a provider's stream."""
    current = current_call()
    if current is not None:
        wrapper: CustomStreamWrapper = call.instance
        current.stream.wrapper = wrapper


def chunk_parser(telemetry: Telemetry, call: Call) -> None:
    """Read id and model from an event before LiteLLM translates it: ``chunk_parser(chunk)``."""
    current = current_call()
    if current is not None and not current.stream.identified:
        current.stream.identify(call.argument(0, "chunk"))


def anthropic_chunk_parser(telemetry: Telemetry, call: Call) -> None:
    """Read an Anthropic event before LiteLLM translates it: ``chunk_parser(chunk)``."""
    event: Body = call.argument(0, "chunk")
    if text(event, "type") in ("message_start", "message_delta"):
        current = current_call()
        if current is not None:
            current.stream.add_anthropic_event(field(event, "message"), field(event, "usage"))
