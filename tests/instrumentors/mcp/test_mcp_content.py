"""Arguments, results and error texts are recorded only if content is enabled."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from mcp_peers import MODES, connected
from mcp_server import SECRET, weather_server

from otel_agents.testing.emission import Emission

BOTH = pytest.mark.parametrize("mode", MODES)


async def use(mode: str) -> None:
    async with connected(weather_server(), mode) as session:
        await session.call_tool("weather", {"city": SECRET})
        await session.call_tool("broken", {"city": SECRET})
        await session.get_prompt("greeting", {"person": SECRET})
        with pytest.raises(Exception, match=r".+"):
            await session.get_prompt("greeting", {"nobody": SECRET})


@BOTH
@pytest.mark.usefixtures("instrumented")
def test_nothing_leaves_by_default(mode: str, run: Any, emission: Emission) -> None:
    run(use(mode))
    assert len(emission.spans) > 6
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_a_resource_has_no_credentials(run: Any, emission: Emission) -> None:
    """Neither those of its host, nor what its query, its fragment or its data hold."""
    uris = {
        f"https://ada:{SECRET}@shop.example:8443/memo?token={SECRET}#{SECRET}": (
            "https://shop.example:8443/memo"
        ),
        f"data:text/plain,{SECRET}": "data:",
        f"memo://shelf/{'a' * 300}": f"memo://shelf/{'a' * 242}…",
        "file:///etc/hosts": "file:///etc/hosts",
    }

    async def read() -> None:
        async with connected(weather_server()) as session:
            for uri in uris:
                with pytest.raises(Exception, match=r".+"):
                    await session.read_resource(uri)

    run(read())
    spans = [span for span in emission.spans if span.name == "resources/read"]
    recorded = {str((span.attributes or {})["mcp.resource.uri"]) for span in spans}
    assert recorded == set(uris.values())
    assert len(spans) == 2 * len(uris)
    assert SECRET not in emission.texts()


@BOTH
@pytest.mark.usefixtures("with_content")
def test_content_is_on_both_sides(mode: str, run: Any, emission: Emission) -> None:
    run(use(mode))
    spans = [s for s in emission.spans if s.name == "tools/call weather"]
    assert len(spans) == 2
    for span in spans:
        attributes = dict(span.attributes or {})
        arguments = json.loads(str(attributes["gen_ai.tool.call.arguments"]))
        result = json.loads(str(attributes["gen_ai.tool.call.result"]))
        assert arguments == {"city": SECRET}
        assert result["content"] == [{"type": "text", "text": f"sunny in {SECRET}"}]
    prompts = [s.attributes or {} for s in emission.spans if s.name == "prompts/get greeting"]
    recorded = [one.get("gen_ai.prompt.variable.person") for one in prompts]
    assert recorded.count(SECRET) == 2


@BOTH
def test_events_only_leave_the_spans_without(
    mode: str, run: Any, instrument: Callable[..., None], emission: Emission
) -> None:
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="EVENT_ONLY")
    run(use(mode))
    assert SECRET not in " ".join(span.to_json() for span in emission.spans)
