"""Content is what was sent: what the application edits afterwards is not recorded."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from litellm_calls import litellm, route

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
MODELS = ("openai/gpt-4o-mini", "anthropic/claude-3-haiku-20240307")


@pytest.mark.parametrize("sdk", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_edited_while_a_stream_is_read(
    name: str,
    sdk: bool,
    instrument: Callable[..., None],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    instrument(sdk=sdk, **{CAPTURE: "SPAN_ONLY"})
    messages = [{"role": "user", "content": "SENT"}]
    for _ in litellm.completion(messages=messages, stream=True, **route(name, model)):
        messages[0]["content"] = "EDITED"
    (span,) = emission.spans
    recorded = str((span.attributes or {})["gen_ai.input.messages"])
    assert ("SENT" in recorded, "EDITED" in recorded) == (True, False)
