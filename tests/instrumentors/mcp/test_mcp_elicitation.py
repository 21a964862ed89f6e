"""Elicitation: a server requests an input of the client's human."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from mcp_peers import connected
from mcp_server import SECRET, weather_server, with_context
from opentelemetry.trace import SpanKind
from pydantic import BaseModel

from otel_agents.testing.emission import Emission

types: Any = import_module("mcp.types")
CALL = "tools/call locate"
REQUEST = "elicitation/create"


class CityForm(BaseModel):
    """What the human fills in."""

    city: str


def server() -> Any:
    """Return a server with a tool that needs a human."""
    made = weather_server()

    async def locate(ctx: Any) -> str:
        """Locate."""
        result = await ctx.elicit(message=f"Where is {SECRET}?", schema=CityForm)
        return result.action

    with_context(made, locate)
    return made


@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
@pytest.mark.usefixtures("instrumented")
def test_a_human_input(action: str, run: Any, emission: Emission) -> None:
    carried: list[str] = []

    async def human(context: Any, params: Any) -> Any:
        known: Any = getattr(params.meta, "model_extra", params.meta)
        carried.append(known["traceparent"].split("-")[2])
        content = {"city": SECRET} if action == "accept" else None
        return types.ElicitResult(action=action, content=content)

    async def use() -> str:
        async with connected(server(), elicitation_callback=human) as session:
            return (await session.call_tool("locate", {})).content[0].text

    assert run(use()) == action
    tree = [line for line in emission.tree() if "tools/list" not in line]
    assert tree[tree.index(CALL) :] == [
        CALL,
        f"  {CALL}",
        f"    {REQUEST}",
        f"      {REQUEST}",
        "        human_input",
    ]
    (sent,) = (s for s in emission.spans if s.name == REQUEST and s.kind is SpanKind.CLIENT)
    assert sent.context is not None
    assert carried == [f"{sent.context.span_id:016x}"]
    (step,) = (s for s in emission.spans if s.name == "human_input")
    assert dict(step.attributes or {}) == {
        "otel_agents.step.type": "human_input",
        "otel_agents.step.outcome": action,
    }
    assert SECRET not in emission.texts()
