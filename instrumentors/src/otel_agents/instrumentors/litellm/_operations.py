"""The operations of LiteLLM: a claim around each question, and its span where LiteLLM sends.

A question is asked below LiteLLM's cache, retries and fallbacks, so each attempt is one. That it is sent
is evident from the record that LiteLLM makes of every request; that LiteLLM sends it by itself, from
its HTTP client and its Rust core.
"""

from __future__ import annotations

import inspect
from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.telemetry.propagation import headers_for
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import field, text
from otel_agents.instrumentors._dialects.servers import server_of

from ._callbacks import left_to_them
from ._functions import ROUTES, Function
from ._questions import QUESTION, Question, current_question
from ._stream_usage import ask_for_usage

__all__ = [
    "dispatched",
    "handling",
    "identifying",
    "parsing",
    "posting",
    "question",
    "sending",
    "wrapping",
]

_BEFORE_HEADERS: Final = 4
"""The parameters of ``post`` that come before its headers: url, data, json, params."""


def question(function: Function, telemetry: Telemetry, call: Call) -> CallObserver | None:
    """One of the functions that ask a model, or its asynchronous twin."""
    outer = current_question()
    flagged = call.kwargs.get(function.flag) is True
    if flagged and outer is not None and outer.function is function:
        return None  # its twin is asking
    arguments = function.arguments(call)
    if arguments is None:
        return Observation(QUESTION.set(None))
    theirs = left_to_them(telemetry)
    if theirs is not None:
        return Observation(QUESTION.set(None, theirs))
    asynchronous = flagged or inspect.iscoroutinefunction(call.function)
    return Question(telemetry, function, arguments, asynchronous)


def dispatched(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """``PublicDispatch.run(args, kwargs, python=…)``: by the Rust core, or by Python's function."""
    function = ROUTES.get(call.instance.route.value)
    if function is None:
        return None
    args, kwargs = call.args
    arguments = function.arguments(Call(call.kwargs["python"], None, args, dict(kwargs)))
    if arguments is None:
        return None
    asynchronous = inspect.iscoroutinefunction(call.function)
    native = Question(telemetry, function, arguments, asynchronous)
    native.native = True
    return native


def sending(telemetry: Telemetry, call: Call, result: Any) -> None:
    """``Logging.pre_call(input, api_key, model, additional_args)``: LiteLLM is about to send.

    Its record and the application's callbacks know by now.
    """
    current = current_question()
    if current is not None:
        current.sends(call.instance, call.kwargs.get("additional_args"))


def posting(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """``HTTPHandler.post(url, …)`` and its asynchronous twin: LiteLLM sends by itself."""
    current = current_question()
    url = call.argument(0, "url")
    started = current.start(server_of(url)) if current is not None else None
    if current is None or started is None:
        return None
    if current.server is not None and len(call.args) <= _BEFORE_HEADERS:
        carrier = headers_for(telemetry, current.server[0], started.context)
        if carrier:
            headers: dict[str, Any] = {**(call.kwargs.get("headers") or {}), **carrier}
            call.kwargs = {**call.kwargs, "headers": headers}
    if telemetry.settings.stream_usage:
        ask_for_usage(call, url, current)
    return Observation(started.context, failed=current.send_failed)


def handling(telemetry: Telemetry, call: Call) -> None:
    """``CustomLLM.completion(…)`` and the like: a provider of the application's own is asked.

    That is the evidence: whatever it sends with, LiteLLM makes no record of it.
    """
    current, logging = current_question(), call.kwargs.get("logging_obj")
    if current is not None and logging is not None:
        current.sends(logging, call.kwargs)


def wrapping(telemetry: Telemetry, call: Call) -> None:
    """``CustomStreamWrapper(…)``: LiteLLM has a stream of the provider's to hand on."""
    current = current_question()
    if current is not None:
        current.unwraps(call.instance)


def identifying(telemetry: Telemetry, call: Call) -> None:
    """``chunk_parser(chunk)`` of a provider's streams: an event as it came, until one has said who answers."""
    current = current_question()
    if current is not None and not current.identified:
        current.identify(call.argument(0, "chunk"))


def parsing(telemetry: Telemetry, call: Call) -> None:
    """``ModelResponseIterator.chunk_parser(chunk)`` of Anthropic's streams: an event as it came."""
    event = call.argument(0, "chunk")
    if text(event, "type") in ("message_start", "message_delta"):
        current = current_question()
        if current is not None:
            current.hears(field(event, "message"), field(event, "usage"))
