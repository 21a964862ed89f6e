"""Asynchronous generators in progress when their event loop closes all that it knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from core_recording import Recorded, settle

from otel_agents.instrumentors import Call, Telemetry, wrapped

NOTHING: Any = None
"""A placeholder for telemetry, which toys do not use."""


async def items() -> AsyncIterator[int]:
    """A stream that waits for something when it is closed."""
    try:
        for item in range(3):
            yield item
    finally:
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("observed", [True, False])
def test_a_loop_closes_what_was_left_without_an_error(observed: bool) -> None:
    observers = [Recorded() for _ in range(8)]
    logged: list[Any] = []

    def stream(observer: Recorded) -> Any:
        def start(telemetry: Telemetry, call: Call) -> Recorded | None:
            return observer if observed else None

        return wrapped(items, NOTHING, start)()

    async def main() -> list[Any]:
        asyncio.get_running_loop().set_exception_handler(lambda _, error: logged.append(error))
        streams = [stream(one) for one in observers]
        for one in streams:
            await anext(one)
        return streams

    streams = asyncio.run(main())
    assert logged == []
    assert [one.ag_frame for one in streams] == [None] * len(streams)
    settle()
    expected = [("chunk", 0), ("abandoned",)] if observed else []
    assert [one.reports for one in observers] == [expected] * len(observers)
