"""The patches: the target of each operation, and the versions that have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import instance
from otel_agents.instrumentors._core.calls.watching import instead
from otel_agents.instrumentors._core.patching.patches import Patch
from otel_agents.instrumentors._core.patching.versions import Bound

from ._chats import chat, chats, group_chat, sequential_run
from ._clients import CLIENTS
from ._conversation import from_executor, in_executor, in_thread, run_stream
from ._models import model_call
from ._native_telemetry import AGENTS, MODELS, NativeRecording
from ._tools import code, tool, tool_registration
from ._turns import (
    guardrail,
    guardrail_checks,
    handoff,
    human_input,
    selection,
    selection_attempt,
    termination,
    turn,
)

__all__ = ["patches"]

_AGENT: Final = "autogen.agentchat.conversable_agent:ConversableAgent"
_GROUP: Final = "autogen.agentchat.groupchat:GroupChat"
_CHAT: Final = "autogen.agentchat.chat"
_EVENTS: Final = "autogen.agentchat.group.events.transition_events"
_GUARDRAILS: Final = "autogen.agentchat.group.guardrails"
_STREAMS: Final = "autogen.io.thread_io_stream"
_CODE: Final = "autogen.coding"
_EXECUTE: Final = "execute_code_blocks"


def _since(version: str) -> Bound:
    """Return a bound for the two distributions that are still released; the others ended before."""
    return MappingProxyType({"ag2": version, "autogen": version})


_RUN_SINCE: Final = MappingProxyType({"ag2": "0.8.5", "autogen": "0.8.5", "pyautogen": "0.8.5"})
_GUARDRAILS_SINCE: Final = _since("0.9.4")
_SINCE_0_2_36: Final[Bound] = MappingProxyType(
    {
        "ag2": None,
        "autogen": None,
        "autogen-agentchat": None,
        "pyautogen": "0.3.0",  # the release after 0.2.35
    }
)
_SINCE_0_3_1: Final[Bound] = MappingProxyType(
    {**_SINCE_0_2_36, "autogen": "0.3.1", "pyautogen": "0.3.1"}
)

_AGENT_PATCHES: Final = (
    # Methods that applications override, too.
    Patch(f"{_AGENT}.initiate_chat", chat, overrides=True),
    Patch(f"{_AGENT}.a_initiate_chat", chat, overrides=True),
    Patch(f"{_AGENT}.generate_reply", turn, overrides=True),
    Patch(f"{_AGENT}.a_generate_reply", turn, overrides=True),
    Patch(f"{_AGENT}.get_human_input", human_input, overrides=True),
    Patch(f"{_AGENT}.a_get_human_input", human_input, overrides=True),
    Patch(f"{_AGENT}.execute_function", tool, overrides=True),
    Patch(f"{_AGENT}.a_execute_function", tool, overrides=True),
    Patch(f"{_CODE}.base:CodeExecutor.{_EXECUTE}", code, subclasses=True),
    # Methods that AG2 alone implements.
    Patch(f"{_CHAT}:initiate_chats", chats),
    Patch(f"{_CHAT}:a_initiate_chats", chats),
    Patch(f"{_AGENT}.initiate_chats", chats),
    Patch(f"{_AGENT}.a_initiate_chats", chats),
    Patch(f"{_AGENT}.check_termination_and_human_reply", termination),
    Patch(f"{_AGENT}.a_check_termination_and_human_reply", termination),
    Patch(f"{_AGENT}._wrap_function", tool_registration),
    Patch(f"{_AGENT}.{_EXECUTE}", code),
    Patch(f"{_GROUP}Manager.run_chat", group_chat),
    Patch(f"{_GROUP}Manager.a_run_chat", group_chat),
    Patch(f"{_GROUP}.manual_select_speaker", human_input),
    Patch(f"{_GROUP}._auto_select_speaker", selection),
    Patch(f"{_GROUP}.a_auto_select_speaker", selection),
    Patch(f"{_GROUP}._mentioned_agents", selection_attempt),
    Patch(f"{_GUARDRAILS}:Guardrail.check", guardrail, subclasses=True, since=_GUARDRAILS_SINCE),
    Patch(f"{_GROUP}._run_input_guardrails", guardrail_checks, since=_GUARDRAILS_SINCE),
    Patch(f"{_GROUP}._run_output_guardrails", guardrail_checks, since=_GUARDRAILS_SINCE),
    Patch(
        f"{_CODE}.jupyter.embedded_ipython_code_executor:EmbeddedIPythonCodeExecutor.{_EXECUTE}",
        code,
    ),
    Patch(
        f"{_CODE}.daytona_code_executor:DaytonaCodeExecutor.{_EXECUTE}",
        code,
        since=_since("0.12.0"),
    ),
    Patch(f"{_AGENT}.sequential_run", sequential_run, since=_RUN_SINCE),
    Patch(f"{_AGENT}.a_sequential_run", sequential_run, since=_RUN_SINCE),
    Patch(f"{_STREAMS}:ThreadIOStream.__init__", run_stream, since=_RUN_SINCE),
    Patch(f"{_STREAMS}:AsyncThreadIOStream.__init__", run_stream, since=_RUN_SINCE),
    Patch(f"{_AGENT}._run_async_in_thread", in_thread, since=_since("0.9.2")),
    *(
        Patch(f"{_EVENTS}:{event}TransitionEvent.__init__", handoff, since=_since("0.10.2"))
        for event in ("AfterWorks", "OnContextCondition", "ReplyResult")
    ),
)
"""Disabled while AG2's own telemetry records agents."""

_CONTEXT_CARRIERS: Final = (
    Patch(f"{_AGENT}.generate_oai_reply", in_executor),
    Patch(f"{_AGENT}.a_generate_oai_reply", from_executor),
)
"""They carry the context, whichever telemetry records."""

_CLIENTS_SINCE: Final[Mapping[str, Bound]] = MappingProxyType(
    {
        "oai.bedrock:BedrockClient": _SINCE_0_2_36,
        "oai.ollama:OllamaClient": _SINCE_0_2_36,
        "oai.cerebras:CerebrasClient": _SINCE_0_3_1,
        "oai.openai_responses:OpenAIResponsesClient": _since("0.9.5"),
        "llm_clients.openai_completions_client:OpenAICompletionsClient": _since("0.10.1"),
        "llm_clients.openai_responses_v2:OpenAIResponsesV2Client": _since("0.11.1"),
        "llm_clients.anthropic_v2:AnthropicV2Client": _since("0.13.2"),
        "llm_clients.bedrock_v2:BedrockV2Client": _since("0.13.2"),
    }
)
_NATIVE_SINCE: Final = _since("0.11.0")


def patches() -> Iterator[Patch]:
    """Yield the patches of one instrumentation; it decides whether AG2's own telemetry records."""
    native = NativeRecording()
    for patch in _AGENT_PATCHES:
        start: Any = patch.how  # each of these patches has a start
        yield replace(patch, how=native.unless_agents(start))
    yield from _CONTEXT_CARRIERS
    start_model_call = native.unless_models(model_call)
    for client in CLIENTS:
        since = _CLIENTS_SINCE.get(client)
        yield Patch(f"autogen.{client}.create", start_model_call, since=since, once_per=instance)
    registration = "autogen.oai.client:OpenAIWrapper.register_model_client"
    yield Patch(registration, start_model_call, argument_method="create", once_per=instance)
    for target in AGENTS:
        yield Patch(target, instead(native.instrument_agents), since=_NATIVE_SINCE)
    for target in MODELS:
        yield Patch(target, instead(native.instrument_models), since=_NATIVE_SINCE)
