"""What is patched: the target of each operation, by what versions have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from otel_agents.instrumentors._core.calls.around import Begin, Wrapping
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from . import _actors, _handoffs, _memory, _models, _runs, _tools, _tracing

__all__ = ["ABSTRACT", "OPTIONAL", "OWN_SPANS", "REQUIRED"]

Make = Callable[[Telemetry], Begin]

_RUNTIME: Final = "autogen_core._single_threaded_agent_runtime"
_ASSISTANT: Final = "autogen_agentchat.agents._assistant_agent:AssistantAgent"
_CHAT: Final = "autogen_agentchat.teams._group_chat"
_MEMORY: Final = "autogen_core.memory._base_memory:Memory"
_GRAPH: Final = f"{_CHAT}._graph._digraph_group_chat"

REQUIRED: Final[dict[str, Make]] = {
    f"{_RUNTIME}:get_telemetry_envelope_metadata": _tracing.addressed,
    f"{_RUNTIME}:SingleThreadedAgentRuntime._process_send": _tracing.delivered,
    f"{_RUNTIME}:SingleThreadedAgentRuntime._process_publish": _tracing.published,
    f"{_RUNTIME}:SingleThreadedAgentRuntime._process_response": _tracing.delivered,
    "autogen_core._base_agent:BaseAgent.on_message": _actors.called,
    "autogen_core._telemetry._tracing:TraceHelper.__init__": _tracing.made,
    "autogen_core._telemetry._tracing:TraceHelper.trace_block": _tracing.traced,
    "autogen_core.tools._base:BaseTool.run_json": _tools.executed,
    f"{_CHAT}._base_group_chat:BaseGroupChat.run_stream": _runs.team,
    "autogen_agentchat.agents._user_proxy_agent:UserProxyAgent._get_input": _runs.human_input,
    f"{_ASSISTANT}._execute_tool_call": _tools.asked,
}
"""In every version."""

OPTIONAL: Final[dict[str, Make]] = {
    f"{_RUNTIME}:SingleThreadedAgentRuntime._create_otel_attributes": _tracing.described,
    "autogen_core.tools._base:BaseStreamTool.run_json_stream": _tools.executed,
    "autogen_ext.tools.mcp._workbench:McpWorkbench.call_tool": _tools.served,
    f"{_GRAPH}:DiGraphEdge.check_condition": _handoffs.checked,
    f"{_GRAPH}:GraphFlowManager.update_message_thread": _handoffs.spoken,
    f"{_GRAPH}:GraphFlowManager.select_speaker": _handoffs.selected,
}
"""In some versions."""

ABSTRACT: Final[dict[str, Make]] = {
    "autogen_agentchat.base._chat_agent:ChatAgent.on_messages": _runs.agent,
    "autogen_agentchat.base._chat_agent:ChatAgent.on_messages_stream": _runs.agent,
    "autogen_core.code_executor._base:CodeExecutor.execute_code_blocks": _tools.code,
    f"{_MEMORY}.add": _memory.added,
    f"{_MEMORY}.query": _memory.asked,
    f"{_MEMORY}.update_context": _memory.reminded,
    "autogen_core.models._model_client:ChatCompletionClient.create": _models.asked,
    "autogen_core.models._model_client:ChatCompletionClient.create_stream": _models.asked,
}
"""Implemented by AutoGen's own classes and by applications'."""

OWN_SPANS: Final[dict[str, Wrapping]] = {
    "autogen_core.tools._base:get_tracer": _tracing.untraced,
    "autogen_core.tools._base:trace_tool_span": _tracing.passed,
    "autogen_ext.tools.mcp._workbench:trace_tool_span": _tracing.passed,
    "autogen_agentchat.agents._base_chat_agent:trace_create_agent_span": _tracing.passed,
    "autogen_agentchat.agents._base_chat_agent:trace_invoke_agent_span": _tracing.passed,
    f"{_CHAT}._chat_agent_container:trace_invoke_agent_span": _tracing.passed,
}
"""AutoGen's own spans of agents and tools, by an old version of the conventions; ours replace them.

The names as AutoGen has bound them: an application that uses the same functions keeps its spans.
"""
