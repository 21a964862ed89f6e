"""The patch table: the target of each operation, and the versions that have it."""

from __future__ import annotations

from typing import Final

from otel_agents.instrumentors._core.calls.call import instance
from otel_agents.instrumentors._core.calls.watching import after, instead, replacing, within
from otel_agents.instrumentors._core.operations import step
from otel_agents.instrumentors._core.patching.native import no_span
from otel_agents.instrumentors._core.patching.patches import Patch

from . import (
    _delivery,
    _handoffs,
    _memory,
    _models,
    _orchestrator,
    _runs,
    _selection,
    _tools,
    _tracing,
)

__all__ = ["PATCHES"]

_RUNTIME: Final = "autogen_core._single_threaded_agent_runtime"
_PROCESS: Final = f"{_RUNTIME}:SingleThreadedAgentRuntime._process"
_TRACING: Final = "autogen_core._telemetry._tracing:TraceHelper"
_TOOLS: Final = "autogen_core.tools._base"
_MCP: Final = "autogen_ext.tools.mcp._workbench"
_MEMORY: Final = "autogen_core.memory._base_memory:Memory"
_CLIENT: Final = "autogen_core.models._model_client:ChatCompletionClient"
_AGENTS: Final = "autogen_agentchat.agents"
_AGENT: Final = "autogen_agentchat.base._chat_agent:ChatAgent"
_CHAT: Final = "autogen_agentchat.teams._group_chat"
_SELECTOR: Final = f"{_CHAT}._selector_group_chat:SelectorGroupChatManager"
_GRAPH: Final = f"{_CHAT}._graph._digraph_group_chat"

_RUNS: Final = (
    Patch(f"{_CHAT}._base_group_chat:BaseGroupChat.run_stream", _runs.team),
    Patch(f"{_AGENT}.on_messages", _runs.agent, subclasses=True, once_per=instance),
    Patch(f"{_AGENT}.on_messages_stream", _runs.agent, subclasses=True, once_per=instance),
    Patch("autogen_core._base_agent:BaseAgent.on_message", _runs.core_agent),
    Patch(f"{_AGENTS}._user_proxy_agent:UserProxyAgent._get_input", step("human_input")),
)

_HANDOFFS: Final = (
    Patch(f"{_GRAPH}:DiGraphEdge.check_condition", after(_handoffs.on_edge_checked), since="0.6.0"),
    Patch(
        f"{_GRAPH}:GraphFlowManager.update_message_thread",
        within(_handoffs.speaker_context),
        since="0.5.7",
    ),
    Patch(
        f"{_GRAPH}:GraphFlowManager.select_speaker",
        after(_handoffs.on_speakers_selected),
        since="0.5.6",
    ),
)

_SELECTION: Final = (
    Patch(f"{_SELECTOR}.select_speaker", _selection.selection),
    Patch(f"{_SELECTOR}._mentioned_agents", after(_selection.on_attempt)),
)

_WORK: Final = (
    Patch(
        f"{_AGENTS}._assistant_agent:AssistantAgent._execute_tool_call",
        within(_tools.request_context),
    ),
    Patch(f"{_TOOLS}:BaseTool.run_json", _tools.tool),
    Patch(f"{_TOOLS}:BaseStreamTool.run_json_stream", _tools.tool, since="0.6.2"),
    Patch(f"{_MCP}:McpWorkbench.call_tool", _tools.mcp_tool, since="0.5.5"),
    Patch(
        "autogen_core.code_executor._base:CodeExecutor.execute_code_blocks",
        _tools.code,
        subclasses=True,
    ),
    Patch(f"{_MEMORY}.add", _memory.add, subclasses=True),
    Patch(f"{_MEMORY}.query", _memory.query, subclasses=True),
    Patch(f"{_MEMORY}.update_context", _memory.update_context, subclasses=True),
    Patch(f"{_CLIENT}.create", _models.model_call, subclasses=True),
    Patch(f"{_CLIENT}.create_stream", _models.model_call, subclasses=True),
)
"""Tools, code, memory and models, most of which both AutoGen and applications implement."""

_MESSAGES: Final = (
    Patch(f"{_RUNTIME}:get_telemetry_envelope_metadata", after(_delivery.on_envelope_metadata)),
    Patch(f"{_PROCESS}_send", within(_delivery.sender_context)),
    Patch(f"{_PROCESS}_publish", within(_delivery.receiver_context)),
    Patch(f"{_PROCESS}_response", within(_delivery.sender_context)),
)

_OWN_SPANS: Final = (
    Patch(f"{_TRACING}.__init__", _tracing.trace_helper),
    Patch(f"{_TRACING}.trace_block", _tracing.trace_block),
    Patch(
        f"{_RUNTIME}:SingleThreadedAgentRuntime._create_otel_attributes",
        replacing(_tracing.without_message),
        since="0.5.7",
    ),
    Patch(f"{_TOOLS}:get_tracer", instead(_tracing.no_tracer), since="0.4.9", until="0.6.2"),
    Patch(f"{_TOOLS}:trace_tool_span", instead(no_span), since="0.6.2"),
    Patch(f"{_MCP}:trace_tool_span", instead(no_span), since="0.6.2"),
    Patch(f"{_AGENTS}._base_chat_agent:trace_create_agent_span", instead(no_span), since="0.6.2"),
    Patch(f"{_AGENTS}._base_chat_agent:trace_invoke_agent_span", instead(no_span), since="0.6.2"),
    Patch(
        f"{_CHAT}._chat_agent_container:trace_invoke_agent_span", instead(no_span), since="0.6.2"
    ),
)
"""AutoGen's own spans, which follow an old version of the conventions. Ours replace those of agents
and tools.

The targets are the names that AutoGen binds: an application that calls the same functions keeps its
spans.
"""

PATCHES: Final = (
    *(*_RUNS, *_HANDOFFS, *_SELECTION, *_orchestrator.PATCHES),
    *(*_WORK, *_MESSAGES, *_OWN_SPANS),
)
