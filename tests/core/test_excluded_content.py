"""Content that the application excludes stays in the process, whatever the settings are."""

from __future__ import annotations

import pytest

from otel_agents.instrumentors import ExecuteTool, InvokeAgent, Telemetry, interrupted
from otel_agents.instrumentors._core.context.scope import with_scope
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission

SECRET = "planted-secret"


@pytest.mark.parametrize("included", [True, False])
def test_what_runs_where_content_is_excluded(emission: Emission, included: bool) -> None:
    environ = {
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT",
        "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT": "true",
    }
    telemetry = Telemetry("test", settings=Settings.read(environ), **emission.providers)
    context = with_scope(records_content=included)
    agent = InvokeAgent(telemetry, "guide", input=lambda: _user_message(SECRET), parent=context)
    tool = ExecuteTool(telemetry, "weather", arguments=SECRET, result=str, parent=agent.context)
    interrupted(telemetry, SECRET, agent.context)
    tool.returned(SECRET)
    agent.failed(ValueError(SECRET))
    assert (SECRET in emission.texts()) is included


def _user_message(text: str) -> list[dict[str, object]]:
    return [{"role": "user", "parts": [{"type": "text", "content": text}]}]
