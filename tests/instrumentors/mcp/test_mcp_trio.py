"""The protocol runs on anyio, so also on trio."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import anyio
import pytest
from mcp_peers import MODES, connected
from mcp_server import weather_server
from opentelemetry import context
from opentelemetry.trace import SpanKind, StatusCode

from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.skipif(find_spec("trio") is None, reason="trio is not installed")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("instrumented")
def test_a_call_and_one_that_is_cancelled(mode: str, emission: Emission) -> None:
    async def use() -> str:
        async with connected(weather_server(), mode) as session:
            await session.list_tools()
            with anyio.move_on_after(0.2):
                await session.call_tool("patient", {})
            result: Any = await session.call_tool("weather", {"city": "Bern"})
        assert not context.get_current()
        return result.content[0].text

    assert anyio.run(use, backend="trio") == "sunny in Bern"
    found = {
        (s.name, s.kind, s.status.status_code, (s.attributes or {}).get("error.type"))
        for s in emission.spans
        if s.name.startswith("tools/call")
    }
    assert found == {
        expected
        for kind in (SpanKind.CLIENT, SpanKind.SERVER)
        for expected in (
            ("tools/call patient", kind, StatusCode.ERROR, "trio.Cancelled"),
            ("tools/call weather", kind, StatusCode.UNSET, None),
        )
    }
