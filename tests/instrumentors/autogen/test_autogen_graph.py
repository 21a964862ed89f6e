"""Graphs: an edge that leads to the next turn is recorded as a handoff."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from autogen_teams import assistant, teams, turn

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")


def handoffs(emission: Emission) -> list[tuple[Any, Any]]:
    return [
        (attributes["otel_agents.handoff.from"], attributes["otel_agents.handoff.to"])
        for name, attributes in emission.events
        if name == "otel_agents.handoff"
    ]


def test_a_chain(run: Any, client: Any, emission: Emission, balanced: Callable[[], None]) -> None:
    members = [assistant(name, client) for name in "abc"]
    graph = teams.DiGraphBuilder()
    for member in members:
        graph.add_node(member)
    graph.add_edge(members[0], members[1]).add_edge(members[1], members[2])
    flow = teams.GraphFlow(members, graph=graph.build())
    run(flow.run(task="go"))
    chain = ["invoke_workflow", *turn("a"), "  handoff b", *turn("b"), "  handoff c", *turn("c")]
    assert emission.tree() == chain
    assert handoffs(emission) == [("a", "b"), ("b", "c")]
    balanced()


def test_branches_at_once_and_a_join(
    run: Any, client: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    a, b, c, d = members = [assistant(name, client) for name in "abcd"]
    graph = teams.DiGraphBuilder()
    for member in members:
        graph.add_node(member)
    graph.add_edge(a, b).add_edge(a, c).add_edge(b, d).add_edge(c, d)
    run(teams.GraphFlow(members, graph=graph.build()).run(task="go"))
    lines = emission.tree()
    assert sorted(tuple(lines[n : n + 2]) for n in range(5, 9, 2)) == [
        tuple(turn("b")),
        tuple(turn("c")),
    ]
    apart = ["  handoff b", "  handoff c"], ["  handoff d", "  handoff d"]
    assert [*lines[:5], *lines[9:]] == [
        *["invoke_workflow", *turn("a"), *apart[0]],
        *[*apart[1], *turn("d")],
    ]
    recorded = handoffs(emission)
    assert len(recorded) == 4
    assert recorded[:2] == [("a", "b"), ("a", "c")]
    assert sorted(recorded[2:4]) == [("b", "d"), ("c", "d")]
    assert emission.traces() == 1
    balanced()


def test_an_edge_that_stays_closed_hands_nothing_over(
    run: Any, client: Any, model: ScriptedModel, emission: Emission, balanced: Callable[[], None]
) -> None:
    model.script("left")
    a, b, c = members = [assistant(name, client) for name in "abc"]
    graph = teams.DiGraphBuilder()
    for member in members:
        graph.add_node(member)
    graph.add_edge(a, b, condition="left").add_edge(a, c, condition="right")
    graph.add_edge(b, c, activation_group="after b")
    run(teams.GraphFlow(members, graph=graph.build()).run(task="go"))
    assert emission.tree() == [
        "invoke_workflow",
        *turn("a"),
        "  handoff b",
        *turn("b"),
        "  handoff c",
        *turn("c"),
    ]
    assert handoffs(emission) == [("a", "b"), ("b", "c")]
    balanced()
