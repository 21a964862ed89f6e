"""A team's own agent framework: an agent calls tools until the model has a final response."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from typing import Any

from openai import OpenAI

__all__ = ["Agent", "Tool"]

Tool = Callable[..., str]
"""A function with a docstring; its arguments are strings."""


class Agent:
    """An agent with a model and tools.

    Args:
        name: The name of the agent.
        model: The model that it calls.
        tools: The tools that the model may call.
        conversation: The id of the conversation that its runs belong to.
    """

    def __init__(
        self, name: str, *, model: str, tools: Sequence[Tool], conversation: str | None = None
    ) -> None:
        self.name = name
        self.model = model
        self.conversation = conversation
        self._tools = {tool.__name__: tool for tool in tools}

    def run(self, prompt: str) -> str:
        """Call the model and its tools until it calls none, and return its last response."""
        messages: list[Any] = [{"role": "user", "content": prompt}]
        definitions: Any = [_definition(tool) for tool in self._tools.values()]
        with OpenAI() as client:
            while True:
                completion = client.chat.completions.create(
                    model=self.model, messages=messages, tools=definitions
                )
                message = completion.choices[0].message
                if not message.tool_calls:
                    return message.content or ""
                messages.append(message)
                messages += [self._tool_message(call) for call in message.tool_calls]

    def call_tool(self, name: str, arguments: dict[str, str]) -> str:
        """Run one tool.

        Raises:
            Exception: Whatever the tool raises.
        """
        return self._tools[name](**arguments)

    def _tool_message(self, call: Any) -> dict[str, str]:
        try:
            result = self.call_tool(call.function.name, json.loads(call.function.arguments))
        except LookupError as error:  # the model may correct its call
            result = f"error: {error}"
        return {"role": "tool", "tool_call_id": call.id, "content": result}


def _definition(tool: Tool) -> dict[str, Any]:
    names = list(inspect.signature(tool).parameters)
    properties = {name: {"type": "string"} for name in names}
    parameters = {"type": "object", "properties": properties, "required": names}
    function = {"name": tool.__name__, "description": tool.__doc__, "parameters": parameters}
    return {"type": "function", "function": function}
