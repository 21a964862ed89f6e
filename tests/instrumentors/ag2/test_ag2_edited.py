"""Content is recorded as it was sent: later edits by the application are not recorded."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from ag2_agents import agent, run

from otel_agents.testing.emission import Emission

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_CONFIG: Any = import_module("ag2.config")
_EVENTS: Any = import_module("ag2.events")


class Editing(_CONFIG.LLMClient):
    """A custom client that edits its request."""

    async def __call__(self, messages: Any, context: Any, **_: Any) -> Any:
        for event in messages:
            for part in getattr(event, "parts", ()):
                part.content = "EDITED"
        context.prompt[:] = ["EDITED"]
        return _EVENTS.ModelResponse(_EVENTS.ModelMessage("done"))


class CustomConfig(_CONFIG.ModelConfig):
    model = "own"

    def copy(self) -> Any:
        return self

    def create(self) -> Any:
        return Editing()


def test_what_a_model_client_edits(instrument: Callable[..., None], emission: Emission) -> None:
    instrument(**{CAPTURE: "SPAN_ONLY"})
    run(lambda: agent("Guide", CustomConfig()).ask("SENT"))
    recorded = [
        str((span.attributes or {})[name])
        for span in emission.spans
        for name in ("gen_ai.input.messages", "gen_ai.system_instructions")
        if name in (span.attributes or {})
    ]
    assert len(recorded) == 3
    assert [one for one in recorded if "EDITED" in one] == []
    assert len([one for one in recorded if "SENT" in one]) == 2
