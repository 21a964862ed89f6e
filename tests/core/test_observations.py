"""An observation of one call: each outcome is reported once, and a missing callback has no effect."""

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
