"""Laws of streams: one span each, ended once, however the stream ends; the caller's is the SDK's own."""

from __future__ import annotations

import asyncio
import gc
import inspect
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
from otel_agents.testing.scripted_model import Abort, Hold, Response, ScriptedModel, Usage

__all__ = [
    "ABANDONED",
    "TEXT",
    "StreamLaws",
    "check_broken",
    "check_cancelled_stream",
    "check_interrupted",
    "check_left_at_its_end",
    "check_left_early",
    "check_not_current",
    "complete",
    "ending",
    "failed",
    "hold",
]

Ending = tuple[StatusCode, dict[str, Any]]

TEXT = "one two three"
READS = ["iter_lines", "iter_text", "iter_bytes", "iter_raw", "read"]
"""How an httpx response is read."""
ABANDONED: Ending = (StatusCode.UNSET, {"otel_agents.stream.abandoned": True})


def complete(reason: str) -> Ending:
    """Return the ending of a stream that is read to its end."""
    return StatusCode.UNSET, {"gen_ai.response.finish_reasons": (reason,)}


def failed(kind: str) -> Ending:
    """Return the ending of a stream that failed with this ``error.type``."""
    return StatusCode.ERROR, {"error.type": kind}


def ending(emission: Emission) -> Ending:
    """Return the status of the only span, and what it has about its end."""
    assert finalization.drain(5)
    attributes = dict(emission.span.attributes or {})
    recorded = ("error.type", "otel_agents.stream.abandoned", "gen_ai.response.finish_reasons")
    return emission.span.status.status_code, {k: attributes[k] for k in recorded if k in attributes}


def hold(model: ScriptedModel, events: int = 2, text: str = TEXT) -> threading.Event:
    """Script a stream that sends as many events, and the others once the returned event is set."""
    gate = threading.Event()
    model.script(Response(text, hold=Hold(events, gate)))
    return gate


def leave(stream: Any, way: str) -> None:
    """Leave a stream by its method ``close``, a ``with``, a ``break``, or its response's ``close``.

    Nothing is done where it has no such method.
    """
    if way == "close" and hasattr(stream, "close"):
        stream.close()
    elif way == "with" and hasattr(stream, "__enter__"):
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
    gate = hold(model, held)
    stream = send()
    next(stream)
    response = getattr(stream, "response", None)  # only some have it
    leave(stream, way)
    del stream
    assert ending(emission) == ABANDONED
    if response is not None:
        response.close()
    gate.set()
    model.ledger.wait(1, ended=True)


def check_left_at_its_end(
    stream: Any, is_last: Callable[[Any], object], emission: Emission, reason: str
) -> None:
    """Check that a stream that is closed after its last event is complete."""
    assert any(is_last(event) for event in stream)
    stream.close()
    assert ending(emission) == complete(reason)


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
    gate = hold(model, events + 1)
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
    gate = hold(model, text=text)

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
        closing = close() if close is not None else None
        if inspect.isawaitable(closing):
            await closing

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

    @pytest.mark.parametrize("held", [True, False])
    @pytest.mark.parametrize("way", READS)
    @pytest.mark.usefixtures("with_content")
    def test_a_stream_that_is_read_past_the_sdk_has_the_same_span(
        self,
        way: str,
        held: bool,
        sdk: Sdk,
        client: Any,
        run: Callable[..., Any],
        model: ScriptedModel,
        emission: Emission,
    ) -> None:
        """By its httpx response, which the application may hold alone."""
        model.script(*[Response(TEXT, id="response-1", usage=Usage(100, 20))] * 3)
        list(sdk.send(client, stream=True))
        stream = sdk.send(client, stream=True)
        response = stream.response
        if not held:
            del stream
        read = getattr(response, way)()
        assert read if isinstance(read, bytes) else list(read)

        async def use(client: Any) -> None:
            stream = await sdk.send(client, stream=True)
            response = stream.response
            if not held:
                del stream
            read = getattr(response, f"a{way}")()
            if inspect.isawaitable(read):
                await read
            else:
                assert [chunk async for chunk in read]

        run(use)
        assert finalization.drain(5)
        parsed, *past = [dict(span.attributes or {}) for span in emission.spans]
        for one in (parsed, *past):
            assert isinstance(one.pop("gen_ai.response.time_to_first_chunk"), float)
        assert past == [parsed, parsed]

    @pytest.mark.parametrize("way", ["close", "drop", "read"])
    @pytest.mark.usefixtures("instrumented")
    def test_a_response_of_a_stream_that_is_not_read_is_abandoned(
        self, way: str, sdk: Sdk, client: Any, model: ScriptedModel, emission: Emission
    ) -> None:
        response = sdk.send(client, stream=True).response
        if way == "close":
            response.close()
        elif way == "read":
            next(response.iter_lines())
            response.close()
        del response
        gc.collect()
        assert ending(emission) == ABANDONED

    @pytest.mark.usefixtures("instrumented")
    def test_a_stream_that_was_started_has_nothing_else_to_read(
        self, sdk: Sdk, client: Any, emission: Emission
    ) -> None:
        """The response of a stream that was started has nothing left to read."""
        stream = sdk.send(client, stream=True)
        next(stream)
        with pytest.raises(Exception, match=r"consumed|streamed"):
            list(stream.response.iter_bytes())
        list(stream)
        assert ending(emission)[0] is StatusCode.UNSET
