"""What is patched: the target of each operation, by what versions have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from otel_agents.instrumentors._core.calls.around import Begin, around
from otel_agents.instrumentors._core.patching.patches import Patch, patches_of
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from . import _chats, _clients, _handoffs, _models, _scopes, _sequences, _tools, _turns
from ._own import AGENTS, MODELS, OwnTelemetry
from ._sdks import SDKS

__all__ = ["patches"]

Make = Callable[[Telemetry], Begin]

_AGENT: Final = "autogen.agentchat.conversable_agent:ConversableAgent"
_GROUP: Final = "autogen.agentchat.groupchat:GroupChat"
_EVENTS: Final = "autogen.agentchat.group.events.transition_events"
_STREAMS: Final = "autogen.io.thread_io_stream"
_CODE: Final = "autogen.coding"

_OVERRIDDEN: Final[dict[str, Make]] = {
    f"{_AGENT}.initiate_chat": _chats.chat,
    f"{_AGENT}.a_initiate_chat": _chats.chat,
    f"{_AGENT}.generate_reply": _turns.turn,
    f"{_AGENT}.a_generate_reply": _turns.turn,
    f"{_AGENT}.get_human_input": _turns.human_input,
    f"{_AGENT}.a_get_human_input": _turns.human_input,
    f"{_AGENT}.execute_function": _tools.tool,
    f"{_AGENT}.a_execute_function": _tools.tool,
}
"""What applications override too."""

_REQUIRED: Final[dict[str, Make]] = {
    "autogen.agentchat.chat:initiate_chats": _sequences.chats,
    "autogen.agentchat.chat:a_initiate_chats": _sequences.chats,
    f"{_AGENT}.initiate_chats": _sequences.chats,
    f"{_AGENT}.a_initiate_chats": _sequences.chats,
    f"{_AGENT}.check_termination_and_human_reply": _turns.termination,
    f"{_AGENT}.a_check_termination_and_human_reply": _turns.termination,
    f"{_AGENT}._wrap_function": _tools.wrapped,
    f"{_AGENT}.execute_code_blocks": _tools.code,
    f"{_GROUP}Manager.run_chat": _chats.group_chat,
    f"{_GROUP}Manager.a_run_chat": _chats.group_chat,
    f"{_GROUP}.manual_select_speaker": _turns.human_input,
    f"{_GROUP}._auto_select_speaker": _chats.selection,
    f"{_GROUP}.a_auto_select_speaker": _chats.selection,
}
"""In every version."""

_OPTIONAL: Final[dict[str, Make]] = {
    f"{_AGENT}.sequential_run": _sequences.queued,
    f"{_AGENT}.a_sequential_run": _sequences.queued,
    f"{_AGENT}._run_async_in_thread": _turns.run_in_thread,
    f"{_STREAMS}:ThreadIOStream.__init__": _scopes.stream_made,
    f"{_STREAMS}:AsyncThreadIOStream.__init__": _scopes.stream_made,
    f"{_EVENTS}:AfterWorksTransitionEvent.__init__": _handoffs.handoff,
    f"{_EVENTS}:OnContextConditionTransitionEvent.__init__": _handoffs.handoff,
    f"{_EVENTS}:ReplyResultTransitionEvent.__init__": _handoffs.handoff,
    f"{_CODE}.jupyter.embedded_ipython_code_executor:EmbeddedIPythonCodeExecutor"
    ".execute_code_blocks": _tools.code,
    f"{_CODE}.daytona_code_executor:DaytonaCodeExecutor.execute_code_blocks": _tools.code,
}
"""In some versions."""


_CARRYING: Final[dict[str, Make]] = {
    f"{_AGENT}.generate_oai_reply": _turns.asked,
    f"{_AGENT}.a_generate_oai_reply": _turns.asked_in_executor,
}
"""In every version; carry the context, whoever records."""


def patches(telemetry: Telemetry) -> Iterator[Patch]:
    """All patches, their operations bound to ``telemetry``."""
    own = OwnTelemetry(telemetry)
    yield from _of_agents(telemetry, own)
    yield from _of_models(telemetry, own)
    for target, make in _CARRYING.items():
        yield Patch(target, around(make(telemetry)))
    yield from patches_of(telemetry, SDKS, optional=True)
    for target in (*AGENTS, *MODELS):
        yield Patch(target, own.asked(models=target in MODELS), optional=True)


def _of_agents(telemetry: Telemetry, own: OwnTelemetry) -> Iterator[Patch]:
    def begin(make: Make) -> Begin:
        return own.unless_recorded(make(telemetry))

    for target, make in _OVERRIDDEN.items():
        yield Patch(target, around(begin(make), overridden=True), overrides=True)
    for target, make in _REQUIRED.items():
        yield Patch(target, around(begin(make)))
    for target, make in _OPTIONAL.items():
        yield Patch(target, around(begin(make)), optional=True)
    executors = f"{_CODE}.base:CodeExecutor.execute_code_blocks"
    yield Patch(executors, around(begin(_tools.code), overridden=True), subclasses=True)


def _of_models(telemetry: Telemetry, own: OwnTelemetry) -> Iterator[Patch]:
    asking = around(own.unless_models_are(_models.answered(telemetry)), overridden=True)
    for client in _clients.CLIENTS:
        yield Patch(f"autogen.{client}.create", asking, optional=True)
    yield Patch("autogen.oai.client:OpenAIWrapper.register_model_client", asking, handed="create")
