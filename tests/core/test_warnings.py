"""Python's warnings point at the caller, which filters and repetition depend on."""

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
"""A placeholder for telemetry, which toys do not use."""


def warn_caller(level: int = 3) -> None:
    warnings.warn("mind this", UserWarning, stacklevel=level)


class Client:
    """Every method warns its caller."""

    def call_model(self) -> str:
        warn_caller()
        return "told"

    async def call_model_async(self) -> str:
        warn_caller()
        await asyncio.sleep(0)
        return "told"

    def call_model_later(self) -> Any:
        return self.call_model_async()

    def stream(self) -> Iterator[str]:
        warn_caller()
        yield "told"

    async def stream_async(self) -> AsyncIterator[str]:
        warn_caller()
        yield "told"


def recorded(function: Callable[..., Any]) -> Any:
    return wrapped(function, NOTHING, lambda telemetry, call: Recorded(), bound=True)


class Wrapped(Client):
    """The same methods, wrapped."""

    call_model = recorded(Client.call_model)
    call_model_async = recorded(Client.call_model_async)
    call_model_later = recorded(Client.call_model_later)
    stream = recorded(Client.stream)
    stream_async = recorded(Client.stream_async)


async def awaiting(value: Any) -> str:
    return await value


async def iterating(value: Any) -> str:
    async for item in value:
        return item
    return ""


USES: dict[str, Callable[[Client], str]] = {
    "ask": lambda client: client.call_model(),
    "call_model_async": lambda client: asyncio.run(awaiting(client.call_model_async())),
    "call_model_later": lambda client: asyncio.run(awaiting(client.call_model_later())),
    "stream": lambda client: next(iter(client.stream())),
    "stream_async": lambda client: asyncio.run(iterating(client.stream_async())),
}


def warned_line(use: Callable[[Client], str], client: Client) -> tuple[str, int]:
    """The line that the warning points at."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert use(client) == "told"
    (one,) = seen
    return one.filename, one.lineno


@pytest.mark.parametrize("name", USES)
def test_a_warning_points_at_the_caller(name: str) -> None:
    bare, ours = warned_line(USES[name], Client()), warned_line(USES[name], Wrapped())
    assert ours == bare
    assert bare[0] == __file__


def test_filters_of_the_callers_module_hold() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", module=__name__.replace(".", r"\."))
        assert Wrapped().call_model() == "told"


def test_each_line_is_warned_once() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        for _ in range(2):
            Wrapped().call_model()
            Wrapped().call_model()
    assert len({one.lineno for one in seen}) == len(seen) == 2


def test_frames_of_replacements_are_hidden_too() -> None:
    def call_model() -> str:
        warn_caller()
        return "told"

    def proceeding(telemetry: Any, call: Call) -> Any:
        return call.proceed()

    replacement = instead(proceeding).bind(NOTHING)(call_model, Switch(), False)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        replacement()
    assert [one.filename for one in seen] == [__file__]


def test_tracebacks_show_our_frames_with_their_lines() -> None:
    """Only warnings hide them."""

    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError) as raised:
        recorded(fail)()
    frames = traceback.extract_tb(raised.tb)
    ours = [frame for frame in frames if Path(frame.filename).resolve() != Path(__file__)]
    assert ours
    assert all(Path(frame.filename).exists() and frame.line for frame in ours)
    assert inspect.getsource(drivers.coroutine).startswith("def coroutine(")
