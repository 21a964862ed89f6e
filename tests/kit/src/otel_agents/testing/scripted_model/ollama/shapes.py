"""Shapes that Ollama's endpoints share: the head of an object, its counts, lines, errors."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

from otel_agents.testing.scripted_model.dialect import Exchange, Frame, encode
from otel_agents.testing.scripted_model.reactions import ErrorEvent, Failure, Usage
from otel_agents.testing.scripted_model.values import Json

DURATIONS: tuple[str, ...] = ("total_duration", "load_duration")
_NANOSECONDS = 250_000_000


def head(exchange: Exchange) -> Json:
    """Return the fields that each object begins with."""
    created = datetime.fromtimestamp(exchange.created, timezone.utc)
    return {
        "model": exchange.response.model or exchange.request.model,
        "created_at": created.isoformat().replace("+00:00", "Z"),
    }


def usage_of(exchange: Exchange) -> Usage | None:
    """Return what is reported: the sums, without their parts."""
    issued = replace(exchange.usage, cached_tokens=0, reasoning_tokens=0)
    return issued if exchange.response.include_usage else None


def counts(usage: Usage | None) -> Json:
    """Return durations in nanoseconds, and the tokens if they are reported."""
    times: Json = dict.fromkeys((*DURATIONS, "prompt_eval_duration", "eval_duration"), _NANOSECONDS)
    if usage is None:
        return times
    tokens = {"prompt_eval_count": usage.input_tokens, "eval_count": usage.output_tokens}
    return {**times, **tokens}


def line(payload: Json, *, has_usage: bool = False) -> Frame:
    """Return one line of a stream, which is newline-delimited JSON."""
    return Frame(encode(payload) + b"\n", has_usage)


def error_status(failure: Failure) -> bytes:
    """Return the body of an HTTP error."""
    return encode({"error": failure.message})


def error_event(event: ErrorEvent, position: int) -> Frame:
    """Return the error that ends a stream."""
    return line({"error": event.message})
