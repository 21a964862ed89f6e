"""One run, one trace: teams and agents, with every call under the agent that made it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from autogen_teams import CHAT, assistant, round_robin, token, turn
from emission import Emission

pytestmark = pytest.mark.usefixtures("instrumented")


def test_a_team(run: Any, client: Any, emission: Emission, balanced: Callable[[], None]) -> None:
    team = round_robin(assistant("first", client), assistant("second", client))
    run(team.run(task="go"))
    assert emission.tree() == ["invoke_workflow", *turn("first"), *turn("second")]
    assert emission.traces() == 1
    balanced()


def test_an_agent_alone(run: Any, client: Any, emission: Emission, balanced: Callable[[], None]) -> None:
    run(assistant("first", client).run(task="go"))
    assert emission.tree() == turn("first", depth=0)
    balanced()
