"""The scripted responses of the demos: two tools are called, one of them fails once."""

from __future__ import annotations

from typing import Final

from otel_agents.testing.scripted_model import (
    Kind,
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

_CALLS: Final = (
    (_WEATHER, "Friday in Bern"),
    (_NO_TRAIN, "no station Milan"),
    (_TRAIN, "Milano 09:25"),
)
"""The crew's tool calls, and how the program's results begin."""

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
    if request.schema is not None or request.kind is not Kind.INFERENCE:
        return default_response(request)
    if "find_trains" not in {tool.name for tool in request.tools}:
        return Response(TRIP_TEXT, delay=0.2)
    # One after the other: CrewAI runs the calls of one response in parallel.
    for call, result in _CALLS:
        if result not in request.prompt:
            return Response(tool_calls=(call,), delay=0.15)
    return Response(TRIP_TEXT)
