"""A conversation over several team objects, as a web application creates one for each request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from autogen_teams import VERSION, assistant, round_robin, teams
from opentelemetry.context import attach, detach
from packaging.version import Version

from otel_agents.instrumentors import with_conversation_id
from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("instrumented")

TEAMS = ["round robin", "selector", "swarm"]


class Named:
    """Name the conversation, as README shows."""

    def __enter__(self) -> None:
        self._token = attach(with_conversation_id("c-17"))

    def __exit__(self, *error: object) -> None:
        detach(self._token)


def made(kind: str, client: Any) -> Any:
    """Return a new team of this kind."""
    members = [assistant(name, client, description=name) for name in ("first", "second")]
    if kind == "selector":
        return teams.SelectorGroupChat(members, client, max_turns=2, selector_func=alternate)
    if kind == "swarm":
        passing = assistant("first", client, handoffs=["second"])
        return teams.Swarm([passing, members[1]], max_turns=2)
    return round_robin(*members)


def alternate(messages: Any) -> str:
    return "second" if messages[-1].source == "first" else "first"


async def requested(kind: str, client: Any, state: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Serve one request: a new team continues from the saved state."""
    team = made(kind, client)
    if state is not None:
        await team.load_state(state)
    await team.run(task="go on")
    return await team.save_state()


def conversations(emission: Emission) -> list[Any]:
    spans: list[Any] = list(emission.spans)
    return [span.attributes["gen_ai.conversation.id"] for span in spans]


@pytest.mark.parametrize("kind", TEAMS)
def test_a_named_conversation(run: Any, client: Any, emission: Emission, kind: str) -> None:
    async def requests() -> None:
        state = None
        for _ in range(2):
            with Named():
                state = await requested(kind, client, state)

    run(requests())
    assert emission.traces() == 2
    assert set(conversations(emission)) == {"c-17"}


@pytest.mark.skipif(Version("0.4.9") > VERSION, reason="what was saved has the team's id")
def test_the_saved_state_has_no_conversation_id(run: Any, client: Any, emission: Emission) -> None:
    async def requests() -> None:
        state = await requested("round robin", client, None)
        await requested("round robin", client, state)

    run(requests())
    assert len(set(conversations(emission))) == 2
