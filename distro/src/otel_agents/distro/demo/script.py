"""What the scripted model answers in the demo: two tools are called, one of them fails once."""

from __future__ import annotations

from typing import Final

from otel_agents.distro.scripted_model import Answer, ToolCall, Usage

__all__ = ["SCRIPT"]

SCRIPT: Final = (
    Answer(
        tool_calls=(
            ToolCall("get_weather", {"city": "Bern"}),
            ToolCall("find_trains", {"origin": "Milan", "destination": "Bern"}),
        ),
        usage=Usage(input_tokens=412, output_tokens=58),
        delay=0.25,
    ),
    Answer(
        tool_calls=(ToolCall("find_trains", {"origin": "Milano", "destination": "Bern"}),),
        usage=Usage(input_tokens=530, output_tokens=31, cached_tokens=384),
        delay=0.15,
    ),
    Answer(
        text="Take the 09:25 from Milano: Bern is sunny on Friday, 21 degrees.",
        usage=Usage(input_tokens=618, output_tokens=44, cached_tokens=512, reasoning_tokens=24),
        delay=0.3,
    ),
)
