"""An observation of one call: each outcome is reported once, and a missing callback has no effect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from core_recording import MARK
from opentelemetry.context import Context, attach, detach, get_current, get_value, set_value

from otel_agents.instrumentors import wrapped
from otel_agents.instrumentors._core.calls.call import Bindable
from otel_agents.instrumentors._core.calls.watching import Observation, after, instead
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry


@pytest.mark.parametrize("ending", ["returned", "exhausted", "abandoned", "failed", "end"])
def test_an_observation_ends_once_however_it_ends(ending: str) -> None:
    ended: list[str] = []
    observation = Observation(ended=lambda: ended.append("ended"))
    values: dict[str, tuple[Any, ...]] = {
        "returned": (1,),
        "exhausted": (None,),
        "failed": (LookupError(),),
    }
    getattr(observation, ending)(*values.get(ending, ()))
    assert ended == ["ended"]
    observation.end()
    assert ended == ["ended"]


def test_an_observation_ends_after_all_reports() -> None:
    recorded: list[Any] = []
    error = LookupError()

    def observation() -> Observation:
        return Observation(
            returned=recorded.append, failed=recorded.append, ended=lambda: recorded.append("ended")
        )

    observation().returned(1)
    observation().failed(error)
    assert recorded == [1, "ended", error, "ended"]


def test_an_observation_hides_no_item_and_keeps_the_current_context() -> None:
    observation = Observation()
    assert observation.chunk("item") is None
    assert observation.context is get_current()
    assert isinstance(instead(print), Bindable)
    assert not isinstance(after(print), Bindable)


async def coroutine() -> object:
    return get_value(MARK)


async def async_generator() -> AsyncIterator[object]:
    yield get_value(MARK)


def generator() -> Iterator[object]:
    yield get_value(MARK)


async def first_of(created: Any) -> object:
    return await anext(created) if hasattr(created, "__anext__") else await created


@pytest.mark.parametrize("function", [coroutine, async_generator, generator])
def test_a_context_may_depend_on_where_the_call_runs(
    function: Callable[[], Any], telemetry: Telemetry
) -> None:
    """Not on where a coroutine or a generator is created."""

    def context_here() -> Context:
        return set_value(MARK, ("seen", get_value(MARK)))

    created = wrapped(function, telemetry, lambda telemetry, call: Observation(context_here))()
    token = attach(set_value(MARK, "here"))
    try:
        is_generator = hasattr(created, "__next__")
        seen = next(created) if is_generator else asyncio.run(first_of(created))
    finally:
        detach(token)
    assert seen == ("seen", "here")
