"""Python's warnings point where they would without us, by which filters and repetitions go."""

from __future__ import annotations

import asyncio
import inspect
import traceback
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from core_recording import Recorded

from otel_agents.instrumentors._core import drivers
from otel_agents.instrumentors._core.calls.around import wrapped
from otel_agents.instrumentors._core.calls.call import Call, Switch
from otel_agents.instrumentors._core.calls.watching import instead

NOTHING: Any = None
"""In the place of telemetry, which toys do not use."""


def tell(level: int = 3) -> None:
    warnings.warn("mind this", UserWarning, stacklevel=level)


class Client:
    """Every method warns its caller."""

    def ask(self) -> str:
        tell()
        return "told"

    async def ask_async(self) -> str:
        tell()
        await asyncio.sleep(0)
        return "told"

    def ask_later(self) -> Any:
        return self.ask_async()

    def stream(self) -> Iterator[str]:
        tell()
        yield "told"

    async def stream_async(self) -> AsyncIterator[str]:
        tell()
        yield "told"


def recorded(function: Callable[..., Any]) -> Any:
    return wrapped(function, NOTHING, lambda telemetry, call: Recorded(), bound=True)


class Wrapped(Client):
    """The same, as we wrap them."""

    ask = recorded(Client.ask)
    ask_async = recorded(Client.ask_async)
    ask_later = recorded(Client.ask_later)
    stream = recorded(Client.stream)
    stream_async = recorded(Client.stream_async)


async def awaiting(value: Any) -> str:
    return await value


async def iterating(value: Any) -> str:
    async for item in value:
        return item
    return ""


USES: dict[str, Callable[[Client], str]] = {
    "ask": lambda client: client.ask(),
    "ask_async": lambda client: asyncio.run(awaiting(client.ask_async())),
    "ask_later": lambda client: asyncio.run(awaiting(client.ask_later())),
    "stream": lambda client: next(iter(client.stream())),
    "stream_async": lambda client: asyncio.run(iterating(client.stream_async())),
}


def told(use: Callable[[Client], str], client: Client) -> tuple[str, int]:
    """Where the warning points."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert use(client) == "told"
    (one,) = seen
    return one.filename, one.lineno


@pytest.mark.parametrize("name", USES)
def test_a_warning_points_at_who_has_called(name: str) -> None:
    bare, ours = told(USES[name], Client()), told(USES[name], Wrapped())
    assert ours == bare
    assert bare[0] == __file__


def test_filters_of_the_callers_module_hold() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", module=__name__.replace(".", r"\."))
        assert Wrapped().ask() == "told"


def test_each_place_is_warned_once() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        for _ in range(2):
            Wrapped().ask()
            Wrapped().ask()
    assert len({one.lineno for one in seen}) == len(seen) == 2


def test_what_stands_for_a_function_is_left_out_too() -> None:
    def ask() -> str:
        tell()
        return "told"

    def proceeding(telemetry: Any, call: Call) -> Any:
        return call.proceed()

    standing = instead(proceeding).bind(NOTHING)(ask, Switch(), False)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        standing()
    assert [one.filename for one in seen] == [__file__]


def test_tracebacks_show_our_frames_with_their_lines() -> None:
    """They are left out by warnings alone."""

    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError) as raised:
        recorded(fail)()
    frames = traceback.extract_tb(raised.tb)
    ours = [frame for frame in frames if Path(frame.filename).resolve() != Path(__file__)]
    assert ours
    assert all(Path(frame.filename).exists() and frame.line for frame in ours)
    assert inspect.getsource(drivers.coroutine).startswith("def coroutine(")
