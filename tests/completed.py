"""A model call with content, for the completion hooks."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._core.operations import Inference
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv.values import Operation
from otel_agents.testing.emission import Emission

__all__ = ["HELLO", "REFERENCES", "RESPONSE", "RULES", "TOOLS", "infer", "references"]

HELLO = [{"role": "user", "parts": [{"type": "text", "content": "hello"}]}]
RESPONSE = [
    {
        "role": "assistant",
        "parts": [{"type": "text", "content": "hi"}],
        "finish_reason": "stop",
    },
    {
        "role": "assistant",
        "parts": [
            {
                "type": "blob",
                "modality": "image",
                "content": "",
                "otel_agents.bytes": 3,
                "otel_agents.sha256": "abc",
            }
        ],
        "finish_reason": "length",
    },
]
RULES = [{"type": "text", "content": "be brief"}]
TOOLS = [{"type": "function", "name": "weather"}]
REFERENCES = {
    "otel_agents.content.input_messages_ref": HELLO,
    "otel_agents.content.output_messages_ref": RESPONSE,
    "otel_agents.content.system_instructions_ref": RULES,
    "otel_agents.content.tool_definitions_ref": TOOLS,
}


def infer(emission: Emission, hook: Any, **environ: str) -> None:
    """Record one chat with content, for a completion hook."""
    telemetry = Telemetry(
        "test", settings=Settings.read(environ), completion_hook=hook, **emission.providers
    )
    call = Inference(telemetry, Operation.CHAT, "openai", "m", ("h", 1))
    call.content.input_messages = HELLO
    call.content.output_messages = RESPONSE
    call.content.system_instructions = RULES
    call.content.tool_definitions = TOOLS
    call.response_id, call.response_model = "r1", "m"
    call.input_tokens, call.output_tokens, call.finish_reasons = 1, 1, ("stop",)
    call.end()


def references(attributes: Any) -> dict[str, str]:
    """Return the attributes that refer to uploads."""
    return {name: path for name, path in attributes.items() if name.endswith("_ref")}
