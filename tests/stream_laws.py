"""Laws of streams: one span each, ended once, however the stream ends; the caller's is the SDK's own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest
from error_laws import qualified
from opentelemetry import trace
from opentelemetry.trace import StatusCode
from stainless_calls import Sdk

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.instrumentors._core.operations import in_progress
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Abort, Hold, Response, ScriptedModel

__all__ = [
    "ABANDONED",
    "TEXT",
    "StreamLaws",
    "check_broken",
    "check_cancelled_stream",
    "check_interrupted",
    "check_left_early",
    "check_not_current",
    "ending",
    "failed",
]

Ending = tuple[StatusCode, dict[str, Any]]

TEXT = "one two three"
ABANDONED: Ending = (StatusCode.UNSET, {"otel_agents.stream.abandoned": True})


def failed(kind: str) -> Ending:
    """Return the ending of a stream that failed with this ``error.type``."""
    return StatusCode.ERROR, {"error.type": kind}


def ending(emission: Emission) -> Ending:
    """Return the status of the only span, and what it has about its end."""
    assert finalization.drain(5)
    attributes = dict(emission.span.attributes or {})
    recorded = ("error.type", "otel_agents.stream.abandoned", "gen_ai.response.finish_reasons")
    return emission.span.status.status_code, {k: attributes[k] for k in recorded if k in attributes}


def leave(stream: Any, way: str) -> None:
    """Leave a stream by its method ``close``, a ``with``, a ``break``, or its response's ``close``."""
    if way == "close":
        stream.close()
    elif way == "with":
        with stream:
            pass
    elif way == "break":
        for _ in stream:
            break
    elif way == "response":
        stream.response.close()


def check_left_early(
    send: Callable[[], Any], way: str, model: ScriptedModel, emission: Emission, held: int = 2
) -> None:
    """Check a stream that is left when ``held`` events have come, by ``way`` of `leave` or ``drop``."""
    gate = threading.Event()
    model.script(Response(TEXT, hold=Hold(held, gate)))
    stream = send()
    next(stream)
    response = stream.response
    leave(stream, way)
    del stream
    assert ending(emission) == ABANDONED
    response.close()
    gate.set()
    model.ledger.wait(1, ended=True)


def check_broken(send: Callable[[], Iterable[Any]], emission: Emission) -> None:
    """Check a stream whose connection breaks, or that cannot be parsed: which error depends on the SDK."""
    with pytest.raises(Exception) as raised:  # noqa: PT011
        list(send())
    assert ending(emission) == failed(qualified(raised.value))


def check_interrupted(
    send: Callable[[], Any],
    text: Callable[[Any], str],
    model: ScriptedModel,
    emission: Emission,
    events: int = 2,
) -> None:
    """Check a stream that a signal interrupts after ``events``: it goes on, and its span has ended.

    Content is enabled on spans; ``text(event)`` returns the output in an event.
    """
    gate = threading.Event()
    model.script(Response(TEXT, hold=Hold(events + 1, gate)))
    stream = send()
    received = [next(stream) for _ in range(events)]
    (operation,) = in_progress.operations()
    in_progress.interrupt(operation)
    assert ending(emission) == failed("interrupted")
    recorded = str((emission.span.attributes or {})["gen_ai.output.messages"])
    assert ("one" in recorded, '"finish_reason":"error"' in recorded) == (True, True)
    gate.set()
    received += stream
    assert "".join(text(event) for event in received) == TEXT
    assert len(emission.spans) == 1


def check_cancelled_stream(
    run: Callable[..., Any],
    send: Callable[[Any], Any],
    model: ScriptedModel,
    emission: Emission,
    text: str = TEXT,
) -> None:
    """Check a stream whose task is cancelled; ``await send(client)`` returns it."""
    gate = threading.Event()
    model.script(Response(text, hold=Hold(2, gate)))

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
        close: Any = getattr(stream, "aclose", None) or getattr(stream, "close", None)
        if close is not None:
            await close()

    run(use)
    assert ending(emission) == failed("asyncio.exceptions.CancelledError")


def check_not_current(stream: Iterable[Any]) -> None:
    """Check that the reader of a stream has its own current span."""
    assert {trace.get_current_span().get_span_context().span_id for _ in stream} == {0}


class StreamLaws:
    """Laws of an SDK that Stainless generates; the suite has the fixtures of `stainless_fixtures`.

    Attributes:
        text: Returns the output in an event.
        events: How many events have come, and the first output, when a stream is left.
    """

    events = 2

    def text(self, event: Any) -> str:
        return event.choices[0].delta.content or ""

    @pytest.mark.usefixtures("instrumented")
    def test_the_stream_is_what_the_sdk_returns(
        self, sdk: Sdk, client: Any, run: Callable[..., Any]
    ) -> None:
        with sdk.send(client, stream=True) as stream:
            assert stream.__class__ is sdk.module.Stream  # some have an `isinstance` of their own
            assert stream.response.status_code == 200

        async def use(client: Any) -> None:
            stream = await sdk.send(client, stream=True)
            assert stream.__class__ is sdk.module.AsyncStream
            async with stream:
                pass

        run(use)

    @pytest.mark.parametrize("way", ["close", "with", "break", "drop", "response"])
    @pytest.mark.usefixtures("instrumented")
    def test_a_stream_left_early_is_abandoned(
        self, way: str, sdk: Sdk, client: Any, model: ScriptedModel, emission: Emission
    ) -> None:
        send = partial(sdk.send, client, stream=True)
        check_left_early(send, way, model, emission, self.events)

    @pytest.mark.usefixtures("instrumented")
    def test_an_async_stream_left_early_is_abandoned(
        self, sdk: Sdk, run: Callable[..., Any], emission: Emission
    ) -> None:
        async def use(client: Any) -> None:
            async with await sdk.send(client, stream=True) as stream:
                await anext(stream)

        run(use)
        assert ending(emission) == ABANDONED

    @pytest.mark.usefixtures("instrumented")
    def test_a_stream_that_breaks_is_an_error(
        self, sdk: Sdk, client: Any, model: ScriptedModel, emission: Emission
    ) -> None:
        model.script(Response(TEXT, fault=Abort(self.events)))
        check_broken(partial(sdk.send, client, stream=True), emission)

    @pytest.mark.usefixtures("with_content")
    def test_a_stream_that_a_signal_interrupts_keeps_its_output(
        self, sdk: Sdk, client: Any, model: ScriptedModel, emission: Emission
    ) -> None:
        """The stream goes on for its reader, and its span does not end twice."""
        send = partial(sdk.send, client, stream=True)
        check_interrupted(send, self.text, model, emission, self.events)

    @pytest.mark.usefixtures("instrumented")
    def test_a_cancelled_stream_is_an_error(
        self, sdk: Sdk, run: Callable[..., Any], model: ScriptedModel, emission: Emission
    ) -> None:
        check_cancelled_stream(run, partial(sdk.send, stream=True), model, emission)

    @pytest.mark.usefixtures("instrumented")
    def test_the_span_is_not_current_between_chunks(self, sdk: Sdk, client: Any) -> None:
        check_not_current(sdk.send(client, stream=True))
