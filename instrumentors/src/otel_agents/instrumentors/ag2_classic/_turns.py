"""Turns: an agent replies, by its model, its tools, its code or its human."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Final

from opentelemetry.context import Context, attach, create_key, get_current, get_value, set_value

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.calls.passing import Passing
from otel_agents.instrumentors._core.operations import InvokeAgent, Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

from . import _scopes
from ._chats import is_manager
from ._messages import last, said

__all__ = ["asked", "asked_in_executor", "human_input", "run_in_thread", "termination", "turn"]

_ASKING: Final = create_key("otel_agents-ag2-asking-a-human")
_waiting: Final[dict[tuple[int, int], Context]] = {}
"""The contexts of those who wait for an executor, by what they have it called with."""


class Turn(InvokeAgent):
    """An agent's turn in a conversation, or its reply to an application.

    ``ended`` says that the agent has ended the conversation instead of replying, ``active`` that
    it did something all the same.
    """

    __slots__ = ("active", "agent", "chat", "ended", "messages", "sender")

    def __init__(self, telemetry: Telemetry, agent: Any, sender: Any, messages: Any) -> None:
        super().__init__(telemetry, agent.name)
        self.agent, self.sender, self.messages = agent, sender, messages
        self.active = self.ended = False
        self.chat = _scopes.chat() if _scopes.turn() is None else None
        if self.chat is not None:
            self.chat.turns += 1
            self.attributes[attr.OTEL_AGENTS_TURN] = self.chat.turns
        if telemetry.gate.wanted:
            self.content.input_messages = said(self.question, "user")
        self.context = _scopes.inside_turn(self, self.context)

    @property
    def question(self) -> Any:
        """The message that is replied to, as it was sent."""
        messages = self.messages
        if messages is None:
            messages = self.agent.chat_messages.get(self.sender)
        return last(messages)

    def returned(self, value: Any) -> Any:
        """A turn in which nothing happened but the end of the conversation is none."""
        called = self.scope.inference_calls or self.scope.tool_calls
        if value is None and self.ended and not self.active and not called:
            self.discard()
            if self.chat is not None:
                self.chat.turns -= 1
            return value
        return super().returned(value)

    def respond(self, value: Any) -> None:
        """Keep the reply."""
        if self._gate.wanted:
            self.content.output_messages = said(value, "assistant")


def turn(telemetry: Telemetry) -> Begin:
    """``Agent.generate_reply(messages, sender, …)`` and its asynchronous form."""

    def begin(call: Call) -> Running | None:
        current, agent = _scopes.turn(), call.instance
        again = current is not None and current.agent is agent
        if again or _scopes.selecting() or is_manager(agent):
            return None
        messages, sender = call.argument(0, "messages"), call.argument(1, "sender")
        return Turn(telemetry, agent, sender, messages)

    return begin


class _Termination(Passing):
    """Looks whether the agent ends the conversation."""

    def returned(self, value: Any) -> Any:
        """Final, and no reply."""
        current = _scopes.turn()
        if current is not None and value == (True, None):
            current.ended = True
        return value


def termination(telemetry: Telemetry) -> Begin:
    """``ConversableAgent.check_termination_and_human_reply(…)`` and its asynchronous form."""

    def begin(call: Call) -> Running | None:
        return _Termination(get_current())

    return begin


class HumanInput(Step):
    """Somebody is asked, and may take long; early versions ask in an executor."""

    __slots__ = ("_key",)

    def __init__(self, telemetry: Telemetry, key: tuple[int, int]) -> None:
        super().__init__(telemetry, "human_input", {})
        self.context = set_value(_ASKING, True, self.context)
        self._key = key
        _waiting[key] = self.context

    def end(self) -> None:
        """Nobody waits any more."""
        _waiting.pop(self._key, None)
        super().end()


def human_input(telemetry: Telemetry) -> Begin:
    """``ConversableAgent.get_human_input(prompt)`` and its asynchronous form."""

    def begin(call: Call) -> Running | None:
        key = _key(call, "prompt")
        waiting = None if get_current() else _waiting.get(key)
        if waiting is not None:
            return Passing(waiting)
        current = _scopes.turn()
        if current is not None:
            current.active = True
        return None if get_value(_ASKING) else HumanInput(telemetry, key)

    return begin


def _key(call: Call, name: str) -> tuple[int, int]:
    return id(call.instance), id(call.argument(0, name))


class _Waiting(Passing):
    """Waits for an executor, which starts with no context."""

    def __init__(self, key: tuple[int, int]) -> None:
        super().__init__(get_current())
        self._key = key
        _waiting[key] = self.context

    def returned(self, value: Any) -> Any:
        """The executor is done."""
        _waiting.pop(self._key, None)
        return value

    def failed(self, error: BaseException) -> None:
        """Nobody waits any more."""
        _waiting.pop(self._key, None)


def asked_in_executor(telemetry: Telemetry) -> Begin:
    """``ConversableAgent.a_generate_oai_reply(messages, …)``: has the other form run elsewhere."""

    def begin(call: Call) -> Running | None:
        return _Waiting(_key(call, "messages"))

    return begin


def asked(telemetry: Telemetry) -> Begin:
    """``ConversableAgent.generate_oai_reply(messages, …)``, maybe in a thread without context."""

    def begin(call: Call) -> Running | None:
        context = None if get_current() else _waiting.get(_key(call, "messages"))
        return Passing(context) if context is not None else None

    return begin


def run_in_thread(telemetry: Telemetry) -> Begin:
    """``ConversableAgent._run_async_in_thread(coro)``, in a loop of its own."""

    def begin(call: Call) -> Running | None:
        if call.args:
            call.args = (_carrying(call.args[0], get_current()), *call.args[1:])
        return Passing(get_current())

    return begin


async def _carrying(coroutine: Coroutine[Any, Any, Any], context: Context) -> Any:
    attach(context)
    return await coroutine
