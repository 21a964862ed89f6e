"""Selection of the next speaker, by a model or by the application's function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import Selection
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["on_attempt", "selection"]

# Selectors since 0.4.6 have this attribute, and repeat a request whose response names no valid
# speaker. Earlier ones accept any name.
# https://github.com/microsoft/autogen/pull/5454
_MAX_ATTEMPTS: Final = "_max_selector_attempts"


class _SpeakerSelection(Selection):
    """One selection; ``excluded`` is the speaker that the selector does not accept."""

    __slots__ = ("excluded",)

    def __init__(self, telemetry: Telemetry, selector: Any) -> None:
        super().__init__(telemetry)
        accepts_any = selector._allow_repeated_speaker or not hasattr(selector, _MAX_ATTEMPTS)
        self.excluded = None if accepts_any else selector._previous_speaker
        self.context = _SELECTION.set(self, self.context)

    def respond(self, value: list[str] | str) -> None:
        """Record the selected speaker."""
        # A list since 0.6, for graphs that have several speakers at a time:
        # https://github.com/microsoft/autogen/pull/6545
        self.record_choice(value if isinstance(value, str) else value[0])


_SELECTION: Final = Slot("autogen-selection", _SpeakerSelection)


def selection(telemetry: Telemetry, call: Call) -> Selection:
    """Start ``SelectorGroupChatManager.select_speaker(thread)``."""
    return _SpeakerSelection(telemetry, call.instance)


def on_attempt(telemetry: Telemetry, call: Call, mentions: Mapping[str, int]) -> None:
    """Count a response: ``SelectorGroupChatManager._mentioned_agents(content, names)``."""
    selection = _SELECTION.get()
    if selection is not None:
        selection.record_attempt(len(mentions) == 1 and selection.excluded not in mentions)
