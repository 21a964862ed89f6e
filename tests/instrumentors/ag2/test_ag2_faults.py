"""An error of ours at any place costs no span: an agent with a tool, and one that is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ag2_agents import WEATHER, agent, calling, get_weather, run
from failing_hooks import check_failing_hooks

from otel_agents.instrumentors.ag2 import AG2Instrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.scripted_model import Failure, ScriptedModel

BELOW = {"sdk on": (OpenAIInstrumentor,), "sdk off": ()}


def uses_a_tool(model: ScriptedModel, config: Any) -> Any:
    model.script_by(calling(WEATHER))

    async def ask() -> str:
        return str(await (await agent("Guide", config, tools=[get_weather]).ask("go")).content())

    return run(ask)


def is_refused(model: ScriptedModel, config: Any) -> Any:
    model.script_by(lambda request: Failure(401))

    async def ask() -> Any:
        try:
            await agent("Guide", config).ask("go")
        except Exception as error:  # noqa: BLE001  the SDK's
            return type(error)

    return run(ask)


@pytest.mark.parametrize("converse", [uses_a_tool, is_refused])
@pytest.mark.parametrize("below", BELOW.values(), ids=BELOW)
def test_an_error_of_ours_costs_no_span(
    below: Any, converse: Callable[..., Any], model: ScriptedModel, config: Any
) -> None:
    assert check_failing_hooks(AG2Instrumentor, lambda: converse(model, config), *below) > 3
