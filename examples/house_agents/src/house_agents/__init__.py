"""A team's own agent framework: a model that calls tools until it has the answer."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from typing import Any

from openai import OpenAI

__all__ = ["Agent", "Tool"]

Tool = Callable[..., str]
"""A function with a docstring; the model fills its arguments with text."""


class Agent:
    """Answers questions with a model and tools; ``conversation`` is the id of what they belong to."""

    def __init__(
        self, name: str, *, model: str, tools: Sequence[Tool], conversation: str | None = None
    ) -> None:
        self.name = name
        self.model = model
        self.conversation = conversation
        self._tools = {tool.__name__: tool for tool in tools}

    def run(self, question: str) -> str:
        """Ask the model until it calls no tool any more; its last answer."""
        messages: list[Any] = [{"role": "user", "content": question}]
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
                messages += [self._answer(call) for call in message.tool_calls]

    def call_tool(self, name: str, arguments: dict[str, str]) -> str:
        """Run one tool.

        Raises:
            Exception: Whatever the tool raises.
        """
        return self._tools[name](**arguments)

    def _answer(self, call: Any) -> dict[str, str]:
        try:
            result = self.call_tool(call.function.name, json.loads(call.function.arguments))
        except LookupError as error:  # the model may ask again
            result = f"error: {error}"
        return {"role": "tool", "tool_call_id": call.id, "content": result}


def _definition(tool: Tool) -> dict[str, Any]:
    names = list(inspect.signature(tool).parameters)
    properties = {name: {"type": "string"} for name in names}
    parameters = {"type": "object", "properties": properties, "required": names}
    function = {"name": tool.__name__, "description": tool.__doc__, "parameters": parameters}
    return {"type": "function", "function": function}
