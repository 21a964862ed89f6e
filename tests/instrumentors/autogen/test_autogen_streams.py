"""Tools that return their result at the end of a stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from importlib import import_module
from typing import Any

import pytest
from autogen_teams import token
from pydantic import BaseModel

from otel_agents.instrumentors.hosting import drain_streams
from otel_agents.testing.emission import Emission

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
tools: Any = import_module("autogen_core.tools")


class Nothing(BaseModel):
    """No arguments."""


class Counting(tools.BaseStreamTool):
    """Count to two."""

    def __init__(self, result: type = str) -> None:
        tools.BaseStreamTool.__init__(self, Nothing, result, "count", "Counts.")

    async def run(self, args: Nothing, cancellation_token: Any) -> str:
        return "two"

    async def run_stream(self, args: Nothing, cancellation_token: Any) -> AsyncGenerator[str, None]:
        yield "one"
        yield "two"


async def read(tool: Any, items: int) -> None:
    stream = tool.run_json_stream({}, token())
    for _ in range(items):
        if await anext(stream, None) is None:
            return
    await stream.aclose()


@pytest.mark.parametrize(
    ("items", "end"),
    [
        (1, {"otel_agents.stream.abandoned": True}),
        (3, {"gen_ai.tool.call.result": '{"result":"two"}'}),
    ],
)
def test_an_abandoned_stream_has_no_result(
    run: Any,
    emission: Emission,
    instrument: Callable[..., None],
    items: int,
    end: dict[str, Any],
) -> None:
    instrument(**{CAPTURE: "SPAN_ONLY"})
    run(read(Counting(), items))
    assert drain_streams(5)
    assert emission.span.attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "count",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.description": "Counts.",
        "gen_ai.tool.call.arguments": "{}",
        **end,
    }


def test_a_stream_that_fails_has_no_result(
    run: Any, emission: Emission, instrument: Callable[..., None]
) -> None:
    instrument(**{CAPTURE: "SPAN_ONLY"})
    with pytest.raises(TypeError):
        run(read(Counting(int), 3))
    attributes = emission.span.attributes or {}
    assert attributes["error.type"] == "TypeError"
    assert "gen_ai.tool.call.result" not in attributes
