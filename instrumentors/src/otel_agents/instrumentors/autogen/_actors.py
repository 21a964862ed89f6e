"""Agents of the core, which an application writes by itself and which answer messages."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import get_current

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.operations import InvokeAgent
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._messages import answer, task
from ._publishing import publishing_beside
from ._runs import within_tool

__all__ = ["called"]

_OWN: Final = ("autogen_agentchat.", "autogen_core.", "autogen_ext.")


class _Actor(InvokeAgent):
    """What an agent does about one message."""

    __slots__ = ()

    def __init__(self, telemetry: Telemetry, name: str, message: Any) -> None:
        outer = get_current()
        super().__init__(telemetry, name, parent=outer)
        if telemetry.gate.wanted:
            self.content.input_messages = task(message)
        self.context = publishing_beside(outer, within_tool(self.context))

    def respond(self, value: Any) -> None:
        """Keep the answer, if there is one."""
        if self._gate.wanted and value is not None:
            self.content.output_messages = answer(value)


def called(telemetry: Telemetry) -> Begin:
    """``BaseAgent.on_message(message, context)``; AutoGen's own agents only pass messages on."""

    def begin(call: Call) -> Running | None:
        instance: Any = call.instance
        if type(instance).__module__.startswith(_OWN):
            return None
        message = call.argument(0, "message")
        return _Actor(telemetry, instance.id.type, message)

    return begin
