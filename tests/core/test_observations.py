"""One call that is watched: each of its ends is told once, and what is not told has no effect."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.context import get_current

from otel_agents.instrumentors._core.calls.call import Bindable
from otel_agents.instrumentors._core.calls.watching import Observation, after, instead


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


def test_an_observation_ends_after_all_else_was_told() -> None:
    told: list[Any] = []
    error = LookupError()

    def observation() -> Observation:
        return Observation(
            returned=told.append, failed=told.append, ended=lambda: told.append("ended")
        )

    observation().returned(1)
    observation().failed(error)
    assert told == [1, "ended", error, "ended"]


def test_an_observation_hides_no_item_and_works_where_it_is_begun() -> None:
    observation = Observation()
    assert observation.chunk("item") is None
    assert observation.context is get_current()
    assert isinstance(instead(print), Bindable)
    assert not isinstance(after(print), Bindable)
