"""Our error in any hook loses no span: for an agent with a tool, and for a refused request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ag2_agents import WEATHER, agent, calling, get_weather, run
from failing_hooks import check_failing_hooks

from otel_agents.instrumentors.ag2 import AG2Instrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.scripted_model import Failure, ScriptedModel

SDK_INSTRUMENTORS = {"sdk on": (OpenAIInstrumentor,), "sdk off": ()}


def uses_a_tool(model: ScriptedModel, config: Any) -> Any:
    model.script_by(calling(WEATHER))

    async def run_turn() -> str:
        return str(await (await agent("Guide", config, tools=[get_weather]).ask("go")).content())

    return run(run_turn)


def is_refused(model: ScriptedModel, config: Any) -> Any:
    model.script_by(lambda request: Failure(401))

    async def run_turn() -> Any:
        try:
            await agent("Guide", config).ask("go")
        except Exception as error:  # noqa: BLE001  the SDK's
            return type(error)

    return run(run_turn)


@pytest.mark.parametrize("run_scenario", [uses_a_tool, is_refused])
@pytest.mark.parametrize("sdk_instrumentors", SDK_INSTRUMENTORS.values(), ids=SDK_INSTRUMENTORS)
def test_our_error_loses_no_span(
    sdk_instrumentors: Any, run_scenario: Callable[..., Any], model: ScriptedModel, config: Any
) -> None:
    broken_hooks = check_failing_hooks(
        AG2Instrumentor, lambda: run_scenario(model, config), *sdk_instrumentors
    )
    assert broken_hooks > 3
