"""Checks law 9: a process that runs for long holds no more than one that has just started."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections import Counter, deque
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

from otel_agents.distro.ending import open_spans
from otel_agents.instrumentors._core.calls import finalization
from otel_agents.instrumentors._core.context import ownership
from otel_agents.instrumentors.settings import Settings

__all__ = ["TURNS", "check_flat", "watched"]

TURNS = 10_000
_WARM = 1_000
"""Turns after which all caches are full, the frameworks' too."""
_MOST = 400
"""Objects that may be left over; a leak in every twentieth turn is more."""
_PASSES = 100
"""Iterations of the event loop that suffice to close a stream."""
_SETTINGS = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT",
    "OTEL_AGENTS_METRICS": "both",
}


def check_flat(
    turn: Callable[[], object],
    *instrumentors: BaseInstrumentor,
    loop: asyncio.AbstractEventLoop | None = None,
    turns: int | None = None,
) -> None:
    """Run ``turn`` many times, instrumented, and check that no more objects live than after 1,000.

    Args:
        turn: One turn of a conversation, of which the application holds nothing afterwards.
        instrumentors: The instrumentors that observe it.
        loop: The event loop of the turns; it closes async generators that the garbage collector
            found, before objects are counted.
        turns: How many; default is `TURNS`. With 4,000, which a library's own
            cost suggests, an object left by every seventh turn is found, or two by every fourteenth.
    """
    turns = TURNS if turns is None else turns
    with watched(*instrumentors), _frozen(), _silent():
        for _ in range(_WARM):
            turn()
        before = _living(loop)
        for _ in range(turns - _WARM):
            turn()
        more = _living(loop)
        more.subtract(before)
    left = [f"{number} {kind}" for kind, number in more.most_common(8) if number > 0]
    assert sum(more.values()) <= _MOST, f"{turns - _WARM} turns have left {', '.join(left)}"


@contextmanager
def watched(*instrumentors: BaseInstrumentor) -> Generator[dict[str, Any], None, None]:
    """Instrument with all signals and all content, for providers that keep nothing."""
    tracers, loggers = (
        TracerProvider(shutdown_on_exit=False),
        LoggerProvider(shutdown_on_exit=False),
    )
    meters = MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False)
    providers = {"tracer_provider": tracers, "meter_provider": meters, "logger_provider": loggers}
    reported: deque[ownership.Reported] = deque(maxlen=100)
    with ExitStack() as patched:
        # Drop spans that nobody ends soon, and fill bounded tables soon.
        patched.enter_context(mock.patch.object(open_spans, "_PRUNE_AT", 10))
        patched.enter_context(mock.patch.object(ownership, "REPORTED", reported))
        tracers.add_span_processor(open_spans.OpenSpans())
        for instrumentor in instrumentors:
            instrumentor.instrument(**providers, settings=Settings.read(_SETTINGS))
        try:
            yield providers
        finally:
            for instrumentor in instrumentors:
                instrumentor.uninstrument()
            for provider in (tracers, meters, loggers):
                provider.shutdown()


@contextmanager
def _silent() -> Generator[None, None, None]:
    """Disable logging: pytest keeps every record."""
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@contextmanager
def _frozen() -> Generator[None, None, None]:
    """Exclude existing objects from collection and counting: they are the great majority."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _living(loop: asyncio.AbstractEventLoop | None) -> Counter[str]:
    """Count the live objects by class."""
    gc.collect()
    if loop is not None:
        loop.run_until_complete(_closed())
    assert finalization.drain(10)
    gc.collect()
    return Counter(
        f"{type(living).__module__}.{type(living).__qualname__}" for living in gc.get_objects()
    )


async def _closed() -> None:
    """Let the tasks run that close generators, without waiting for tasks that never end."""
    for _ in range(_PASSES):
        await asyncio.sleep(0)
