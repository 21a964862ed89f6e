"""The scripted responses of the demos: two tools are called, one of them fails once."""

from __future__ import annotations

from typing import Final

from otel_agents.testing.scripted_model import (
    ModelRequest,
    Reaction,
    Response,
    ToolCall,
    Usage,
    default_response,
)

__all__ = ["TRIP", "TRIP_TEXT", "crew_reaction"]

TRIP_TEXT: Final = "Take the 09:25 from Milano: Bern is sunny on Friday, 21 degrees."
_WEATHER: Final = ToolCall("get_weather", {"city": "Bern"})
_NO_TRAIN: Final = ToolCall("find_trains", {"origin": "Milan", "destination": "Bern"})
_TRAIN: Final = ToolCall("find_trains", {"origin": "Milano", "destination": "Bern"})

TRIP: Final = (
    Response(
        tool_calls=(_WEATHER, _NO_TRAIN),
        usage=Usage(input_tokens=412, output_tokens=58),
        delay=0.25,
    ),
    Response(
        tool_calls=(_TRAIN,),
        usage=Usage(input_tokens=530, output_tokens=31, cached_tokens=384),
        delay=0.15,
    ),
    Response(
        text=TRIP_TEXT,
        usage=Usage(input_tokens=618, output_tokens=44, cached_tokens=512, reasoning_tokens=24),
        delay=0.3,
    ),
)
"""The responses to one agent that plans a trip."""


def crew_reaction(request: ModelRequest) -> Reaction:
    """Return the response to an agent of the crew, or to the requests of its memory."""
    if request.schema is not None or "messages" not in request.body:
        return default_response(request)
    if "find_trains" not in {tool.name for tool in request.tools}:
        return Response(TRIP_TEXT, delay=0.2)
    # One after the other: CrewAI runs the calls of one response in parallel.
    calls = (_WEATHER, _NO_TRAIN, _TRAIN)
    results = sum(message.get("role") == "tool" for message in request.body["messages"])
    if results < len(calls):
        return Response(tool_calls=(calls[results],), delay=0.15)
    return Response(TRIP_TEXT)
