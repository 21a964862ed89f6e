"""No error in our code loses a span: a team with a tool, and one whose request is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any

import pytest
from autogen_teams import assistant, round_robin
from failing_hooks import check_failing_hooks

from otel_agents.instrumentors.autogen import AutoGenInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

BELOW = {"sdk on": (OpenAIInstrumentor,), "sdk off": ()}


async def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


async def uses_a_tool(model: ScriptedModel, client: Any) -> Any:
    model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"})]), "so", "well")
    first = assistant("first", client, tools=[weather], reflect_on_tool_use=True)
    team = round_robin(first, assistant("second", client))
    return (await team.run(task="go")).messages[-1].content


async def is_refused(model: ScriptedModel, client: Any) -> Any:
    model.script_by(lambda request: Failure(401))
    try:
        await assistant("first", client).run(task="go")
    except Exception as error:  # noqa: BLE001  the SDK's
        return type(error)


def conversing(converse: Callable[..., Coroutine[Any, Any, Any]], model: ScriptedModel) -> Any:
    clients: Any = import_module("autogen_ext.models.openai")

    async def main() -> Any:
        client = clients.OpenAIChatCompletionClient(
            model="gpt-4o-mini", base_url=model.openai_url, api_key="none", max_retries=0
        )
        try:
            return await converse(model, client)
        finally:
            await client._client.close()

    return asyncio.run(main())


@pytest.mark.parametrize("converse", [uses_a_tool, is_refused])
@pytest.mark.parametrize("below", BELOW.values(), ids=BELOW)
def test_our_errors_lose_no_span(
    below: Any, converse: Callable[..., Any], model: ScriptedModel
) -> None:
    assert check_failing_hooks(AutoGenInstrumentor, lambda: conversing(converse, model), *below) > 5
