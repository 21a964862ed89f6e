"""The patch table: the target of each operation, and the versions that have it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from otel_agents.instrumentors._core.calls.watching import after, watch, within
from otel_agents.instrumentors._core.patching.patches import Patch

from . import _arguments, _models, _native_tools, _runs, _spans, _tools, _traces, _websocket

__all__ = ["PATCHES"]

_NATIVE_SINCE: Final = MappingProxyType(
    {
        "ApplyPatchAction": "0.6",
        "CustomToolAction": "0.14",
        "LocalShellAction": "0.0.16",
        "ShellAction": "0.6",
    }
)
_MODEL: Final = "agents.models.interface:Model"

_RUNS: Final = (
    # Until 0.0.19, Runner is all there is. Since then the application may replace the runner that
    # it calls, mostly by a subclass.
    Patch("agents.run:Runner.run", _runs.run, until="0.0.19"),
    Patch("agents.run:Runner.run_streamed", within(_runs.preparing), until="0.0.19"),
    Patch("agents.run:Runner._run_streamed_impl", _runs.streamed_run, until="0.0.19"),
    Patch("agents.run:AgentRunner.run", _runs.run, since="0.0.19"),
    Patch("agents.run:AgentRunner.run_streamed", within(_runs.preparing), since="0.0.19"),
    Patch(
        "agents.run:AgentRunner._start_streaming",
        _runs.streamed_run,
        since="0.0.19",
        until="0.8",
    ),
    Patch("agents.run:start_streaming", _runs.streamed_run, since="0.8"),
    Patch("agents.agent:Agent.as_tool", after(_arguments.agent_tool_made), until="0.8"),
)

_SPAN_METHODS: Final = MappingProxyType(
    {
        "start": _spans.on_start,
        "finish": _spans.on_finish,
        "set_error": _spans.on_error,
        "__exit__": _spans.on_exit,
    }
)
_TRACE_METHODS: Final = MappingProxyType(
    {
        "start": _traces.on_trace_start,
        "finish": _traces.on_trace_finish,
        "__exit__": _traces.on_trace_exit,
    }
)
_SPANS: Final = (
    *(
        Patch(f"agents.tracing.spans:{kind}.{method}", watch(observe))
        for kind in ("SpanImpl", "NoOpSpan")
        for method, observe in _SPAN_METHODS.items()
    ),
    *(
        Patch(f"agents.tracing.traces:{kind}.{method}", watch(observe))
        for kind in ("TraceImpl", "NoOpTrace")
        for method, observe in _TRACE_METHODS.items()
    ),
    Patch(
        "agents.tracing.setup:TraceProvider.create_trace",
        after(_traces.on_trace_created),
        until="0.0.19",
    ),
    Patch(
        "agents.tracing.provider:DefaultTraceProvider.create_trace",
        after(_traces.on_trace_created),
        since="0.0.19",
    ),
)
"""The classes that start and finish: a wrapper of an abstract method would restore the context in
which ``__exit__`` was called, in which the span is current.
"""

_CALLS: Final = (
    Patch(f"{_MODEL}.get_response", _models.model_call, subclasses=True),
    Patch(f"{_MODEL}.stream_response", _models.model_call, subclasses=True),
    Patch(
        "agents.models.openai_responses:OpenAIResponsesWSModel._iter_websocket_response_events",
        _websocket.websocket_call,
        since="0.10",
    ),
    *(
        Patch(
            f"{_tools.EXECUTION}:{name}",
            watch(_tools.invocation),
            one_of="invocation",
            since="0.9",
        )
        for name in _tools.INVOCATIONS
    ),
    # Until 0.9 nothing shows that a tool is executed; only what is not can be known.
    Patch(
        "agents._run_impl:RunImpl._execute_input_guardrails",
        after(_tools.guardrails_passed),
        since="0.3.3",
        until="0.8",
    ),
    Patch(
        f"{_tools.EXECUTION}:_execute_tool_input_guardrails",
        after(_tools.guardrails_passed),
        since="0.8",
        until="0.9",
    ),
    Patch(
        "agents.tool_context:ToolContext.from_agent_context",
        watch(_tools.call_known),
        since="0.8",
        until="0.9",
    ),
    Patch("agents.mcp.server:MCPServer.call_tool", after(_tools.mcp_result), subclasses=True),
    Patch("agents.mcp.util:MCPUtil.invoke_mcp_tool", watch(_tools.remote_tool)),
    Patch("agents.exceptions:ToolTimeoutError.__init__", watch(_tools.timed_out), since="0.9"),
)

_NATIVE: Final = (
    *(
        Patch(
            f"agents._run_impl:{kind}.execute",
            _native_tools.native_tool,
            since=_NATIVE_SINCE.get(kind),
            until="0.8",
        )
        for kind in _native_tools.TOOLS
    ),
    *(
        Patch(
            f"agents.run_internal.tool_actions:{kind}.execute",
            _native_tools.native_tool,
            since=_NATIVE_SINCE.get(kind) if kind == "CustomToolAction" else "0.8",
        )
        for kind in _native_tools.TOOLS
    ),
    Patch(
        "agents.run_context:RunContextWrapper.get_approval_status",
        after(_native_tools.on_approval_status),
        since="0.8",
    ),
)

PATCHES: Final = (*_RUNS, *_SPANS, *_CALLS, *_NATIVE)
