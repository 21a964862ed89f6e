"""The demo's program: a small agent loop over the openai package.

The instrumentor of openai records the model calls. The loop has no framework, so it records its
agent and its tools itself, with the operations that a framework's instrumentor uses.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final, TypeVar

from openai import OpenAI
from opentelemetry import context

from otel_agents.instrumentors import ExecuteTool, InvokeAgent, Operation, Telemetry

_MODEL: Final = "gpt-4o-mini"
_PROMPT: Final = "How do I get from Milan to Bern on Friday, and how is the weather there?"
_STATIONS: Final = ("Milano", "Bern")


def get_weather(city: str) -> str:
    """Return the weather of a city."""
    time.sleep(0.04)
    return f"Friday in {city}: sunny, 21 degrees"


def find_trains(origin: str, destination: str) -> str:
    """Return trains between two stations."""
    time.sleep(0.12)
    if origin not in _STATIONS:
        raise LookupError(f"no station {origin}")
    return f"{origin} 09:25, {destination} 12:23"


_TOOLS: Final[Mapping[str, Callable[..., str]]] = MappingProxyType(
    {
        "get_weather": get_weather,
        "find_trains": find_trains,
    }
)


def _definition(name: str, *parameters: str) -> dict[str, Any]:
    properties = {parameter: {"type": "string"} for parameter in parameters}
    schema = {"type": "object", "properties": properties, "required": list(parameters)}
    function = {"name": name, "description": _TOOLS[name].__doc__, "parameters": schema}
    return {"type": "function", "function": function}


_O = TypeVar("_O", bound=Operation)


@contextmanager
def _current(operation: _O) -> Generator[_O, None, None]:
    token = context.attach(operation.context)
    try:
        yield operation
    except Exception as error:
        operation.failed(error)
        raise
    finally:
        context.detach(token)
        operation.end()


def _call_tool(telemetry: Telemetry, call: Any) -> str:
    arguments = json.loads(call.function.arguments)
    with _current(ExecuteTool(telemetry, call.function.name)) as tool:
        tool.content.tool_arguments = arguments
        result = _TOOLS[call.function.name](**arguments)
        tool.content.tool_result = result
        return result


def _tool_message(telemetry: Telemetry, call: Any) -> dict[str, Any]:
    try:
        content = _call_tool(telemetry, call)
    except LookupError as error:
        content = f"error: {error}"
    return {"role": "tool", "tool_call_id": call.id, "content": content}


def main() -> None:
    """Call the model until it needs no more tools."""
    telemetry = Telemetry("otel_agents.demo")
    messages: list[Any] = [{"role": "user", "content": _PROMPT}]
    with OpenAI() as client, _current(InvokeAgent(telemetry, "travel-planner", model=_MODEL)):
        while True:
            tools: Any = [
                _definition("get_weather", "city"),
                _definition("find_trains", "origin", "destination"),
            ]
            completion = client.chat.completions.create(
                model=_MODEL, messages=messages, tools=tools
            )
            message = completion.choices[0].message
            messages.append(message)
            if not message.tool_calls:
                break
            messages += [_tool_message(telemetry, call) for call in message.tool_calls]
    sys.stdout.write(f"{message.content}\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
