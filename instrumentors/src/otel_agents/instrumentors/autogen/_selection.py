"""Who speaks next: a selector's choice, by a model or by a function of the application's."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import Selection
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["selected", "tried"]

_TRIES_AGAIN: Final = "_max_selector_attempts"
"""What a selector has that asks again; before, it took whoever was named."""


class _Choice(Selection):
    """One selection; ``barred`` is whom the selector would not take."""

    __slots__ = ("barred",)

    def __init__(self, telemetry: Telemetry, selector: Any) -> None:
        super().__init__(telemetry)
        free = selector._allow_repeated_speaker or not hasattr(selector, _TRIES_AGAIN)
        self.barred = None if free else selector._previous_speaker
        self.context = _CHOICE.set(self, self.context)

    def respond(self, value: Any) -> None:
        """One name, in a list from 0.5.6 on."""
        self.record_choice(value if isinstance(value, str) else value[0])


_CHOICE: Final = Slot("autogen-choice", _Choice)


def selected(telemetry: Telemetry, call: Call) -> Selection:
    """``SelectorGroupChatManager.select_speaker(thread)``."""
    return _Choice(telemetry, call.instance)


def tried(telemetry: Telemetry, call: Call, mentions: Any) -> None:
    """``SelectorGroupChatManager._mentioned_agents(content, names)``: what the model has answered."""
    choice = _CHOICE.get()
    if choice is not None:
        choice.record_attempt(len(mentions) == 1 and choice.barred not in mentions)
