"""Laws of how a stream may end: each is one span that ends once, with what had arrived.

A ``send`` returns a stream; ``run(function)`` runs ``function(client)``, a coroutine function, in an
event loop of its own.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from error_laws import qualified
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from otel_agents.instrumentors._core.operations import in_progress
from otel_agents.instrumentors.hosting import drain_streams
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import (
    Abort,
    Hold,
    MalformedEvent,
    Response,
    ScriptedModel,
)

__all__ = [
    "ABANDONED",
    "TEXT",
    "Ending",
    "check_broken_stream",
    "check_cancelled_stream",
    "check_interrupted_stream",
    "check_left_stream",
    "check_not_current",
    "check_stream_left_at_its_end",
    "complete",
    "ending",
    "failed",
    "hold",
]

TEXT = "one two three"
"""What the scripted streams respond."""
Ending = tuple[StatusCode, dict[str, Any]]
"""The status of a span, and its attributes of how a stream ended."""
ABANDONED: Ending = (StatusCode.UNSET, {"otel_agents.stream.abandoned": True})


def complete(reason: str) -> Ending:
    """Return the ending of a stream that is read to its end."""
    return StatusCode.UNSET, {"gen_ai.response.finish_reasons": (reason,)}


def failed(error: str | BaseException) -> Ending:
    """Return the ending of a stream that failed, by its ``error.type`` or the exception itself."""
    kind = error if isinstance(error, str) else qualified(error)
    return StatusCode.ERROR, {"error.type": kind}


def ending(emission: Emission) -> Ending:
    """Return how the stream of the only span ended."""
    assert drain_streams(5)
    attributes: dict[str, Any] = dict(emission.span.attributes or {})
    recorded = ("error.type", "otel_agents.stream.abandoned", "gen_ai.response.finish_reasons")
    return emission.span.status.status_code, {k: attributes[k] for k in recorded if k in attributes}


def hold(model: ScriptedModel) -> threading.Event:
    """Script a stream that sends two chunks, and the others once the returned event is set."""
    gate = threading.Event()
    model.script(Response(TEXT, hold=Hold(2, gate)))
    return gate


def check_left_stream(
    leave: str, send: Callable[[], Any], model: ScriptedModel, emission: Emission
) -> None:
    """Check a stream that is left after its first chunk.

    Args:
        leave: How: ``close``, ``with``, ``break``, or else it is only dropped, as it is where the
            stream has no such method.
    """
    gate = hold(model)
    stream = send()
    next(stream)
    if leave == "close" and hasattr(stream, "close"):
        stream.close()
    elif leave == "with" and hasattr(stream, "__enter__"):
        with stream:
            pass
    elif leave == "break":
        for _ in stream:
            break
    response = getattr(stream, "response", None)
    del stream
    gate.set()
    assert ending(emission) == ABANDONED
    if response is not None:
        response.close()


def check_stream_left_at_its_end(
    stream: Any, is_last: Callable[[Any], object], emission: Emission, reason: str
) -> None:
    """Check that a stream that is closed after its last chunk is complete."""
    assert any(is_last(chunk) for chunk in stream)
    stream.close()
    assert ending(emission) == complete(reason)


def check_broken_stream(
    read: Callable[[], object],
    model: ScriptedModel,
    emission: Emission,
    fault: Abort | MalformedEvent | None = None,
) -> None:
    """Check a stream whose connection or text breaks off, with whatever exception the SDK raises."""
    model.script(Response(TEXT, fault=fault or Abort(2)))
    with pytest.raises(Exception) as raised:  # noqa: PT011  which one depends on the SDK's version
        read()
    assert ending(emission) == failed(raised.value)


def check_interrupted_stream(
    send: Callable[[], Any],
    text: Callable[[Any], str | None],
    instrument: Callable[..., None],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    """Check that a stream that a signal interrupts keeps its output.

    The stream goes on for its reader, and its span does not end twice.
    """
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    gate = hold(model)
    stream = send()
    chunks = [next(stream), next(stream)]
    (operation,) = in_progress.operations()
    in_progress.interrupt(operation)
    assert ending(emission) == failed("interrupted")
    recorded = str((emission.span.attributes or {})["gen_ai.output.messages"])
    assert ("one" in recorded, '"finish_reason":"error"' in recorded) == (True, True)
    gate.set()
    chunks += stream
    assert "".join(text(chunk) or "" for chunk in chunks) == TEXT
    assert len(emission.spans) == 1


def check_cancelled_stream(
    run: Callable[..., Any], send: Callable[[Any], Any], model: ScriptedModel, emission: Emission
) -> None:
    """Check a stream whose reader is cancelled; ``send(client)`` is awaited."""
    gate = hold(model)

    async def use(client: Any) -> None:
        stream = await send(client)
        started = asyncio.Event()

        async def consume() -> None:
            async for _ in stream:
                started.set()

        task = asyncio.create_task(consume())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()
        if inspect.iscoroutinefunction(getattr(stream, "close", None)):
            await stream.close()

    run(use)
    assert ending(emission) == failed("asyncio.exceptions.CancelledError")


def check_not_current(stream: Iterable[object]) -> None:
    """Check that no span is current where the chunks are read."""
    current = {trace.get_current_span().get_span_context().span_id for _ in stream}
    assert current == {0}
