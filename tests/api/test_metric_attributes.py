"""Metrics have the attributes that the application chose, with a limited number of values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from otel_agents import api
from otel_agents.instrumentors._core.tables import Bounded
from otel_agents.instrumentors._core.telemetry import chosen
from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("fresh")
NAMES = "OTEL_AGENTS_METRIC_ATTRIBUTES"
CHOSEN = ("gen_ai.agent.name", "user.id", "otel_agents.tag.plan")


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the values of other tests."""
    monkeypatch.setattr(chosen, "_values", Bounded[str, Any](32))


def call(user: str) -> None:
    with api.identity(user=user, tags={"plan": "pro", "team": 7}), api.agent("planner"):
        with api.inference(model="m", provider="house", server=("h", 1)) as inference:
            inference.usage(10, 5)
            inference.response(id="r", model="m", finish_reason="stop")
        api.tool("t")(len)([])


def chosen_of(emission: Emission) -> dict[str, list[dict[str, Any]]]:
    """Return the chosen attributes of the points of each metric."""
    return {
        name: [{key: it[key] for key in CHOSEN if key in it} for it, _ in points]
        for name, points in emission.points().items()
    }


@pytest.mark.parametrize("generation", ["previous", "latest"])
def test_token_and_duration_metrics_have_them(
    generation: str, emission: Emission, configured: Callable[..., None]
) -> None:
    names = "gen_ai.agent.name, user.id, plan"
    configured(**{NAMES: names, "OTEL_AGENTS_METRICS": generation})
    call("ada")
    found = chosen_of(emission)
    named = {"gen_ai.agent.name": "planner"}
    for calls in ("inference", "tool"):
        if generation == "latest":
            assert found.pop(f"gen_ai.invoke_agent.{calls}_calls") == [named]
    everything = {**named, "user.id": "ada", "otel_agents.tag.plan": "pro"}
    assert [it for points in found.values() for it in points if it != everything] == []
    tokens = "token.usage" if generation == "previous" else "inference.usage.input_tokens"
    assert {f"gen_ai.client.{tokens}", "gen_ai.execute_tool.duration"} <= {*found}
    assert "gen_ai.invoke_agent.duration" in found


def test_by_default_there_are_none(emission: Emission, configured: Callable[..., None]) -> None:
    configured()
    call("ada")
    found = chosen_of(emission)
    assert {*found["gen_ai.client.token.usage"][0]} == set()


def test_beyond_two_hundred_values_there_is_one_and_it_is_counted(
    emission: Emission, configured: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    configured(**{NAMES: "user.id"})
    for number in range(203):
        with api.identity(user=f"u-{number}"), api.workflow("w"):
            pass
    with api.identity(user="u-0"), api.workflow("w"):
        pass
    points = emission.points()
    users = [it["user.id"] for it, _ in points["gen_ai.invoke_workflow.duration"]]
    assert users == [*(f"u-{number}" for number in range(200)), "_OTHER"]
    assert points["otel_agents.metric.overflows"] == [({"otel_agents.reason": "user.id"}, 3)]
    assert caplog.messages == [
        "otel-agents: the metric attribute user.id has more than 200 values; further ones are _OTHER"
    ]
