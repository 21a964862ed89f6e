"""Instrumentor for the Anthropic SDK, its clients for Bedrock, Vertex AI and Foundry included."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["AnthropicInstrumentor"]


class AnthropicInstrumentor(AgentInstrumentor):
    """Records inference and tool runners of the ``anthropic`` package.

    Example:
        >>> from otel_agents.instrumentors.anthropic import AnthropicInstrumentor
        >>> instrumentor = AnthropicInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of anthropic
        >>> # each request that a client sends to a model is a span from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "anthropic"
    requires = ("anthropic >= 0.30, < 3",)
    conflicting = (
        "opentelemetry-instrumentation-genai-anthropic",
        "opentelemetry-instrumentation-anthropic",
        "openinference-instrumentation-anthropic",
    )
    covers = (
        "messages, threads, tool runners and their tools, legacy completions",
        "sync, async, stream, parse, raw responses",
        "Bedrock, Vertex AI, Foundry and compatible hosts",
    )
    own_telemetry = "the spans that the SDK emits since 1.14, of what is recorded"

    def patches(self) -> Iterable[Patch]:
        """Yield the methods that every request passes, and those of the tool runner."""
        from otel_agents.instrumentors._core.calls.watching import instead, within
        from otel_agents.instrumentors._core.patching.patches import Patch

        from . import _own_spans, _runner
        from ._middleware import attempt, request

        # Not the methods of the resources (as of anthropic 2.14): parse, the stream helpers,
        # threads and tool runners do not all call `create`, and `with_raw_response` binds it at its
        # first use.

        client, runner = "anthropic._base_client", "anthropic.lib.tools._beta_runner"
        tools = "anthropic.lib.tools._beta_functions"
        yield Patch(f"{client}:SyncAPIClient.request", request)
        yield Patch(f"{client}:AsyncAPIClient.request", request)
        yield Patch(f"{client}:SyncAPIClient._attempt_request", attempt, since="0.108")
        yield Patch(f"{client}:AsyncAPIClient._attempt_request", attempt, since="0.108")
        span = instead(_own_spans.api_call_span)
        yield Patch(f"{client}:start_api_call_span", span, since="1.14")
        span = instead(_own_spans.runner_span)
        yield Patch(f"{runner}:start_tool_runner_span", span, since="1.14")
        yield Patch(f"{runner}:tool_use_span", span, since="1.14")

        entering = within(_runner.run_context)
        for kind, prefix in (("BaseSyncToolRunner", ""), ("BaseAsyncToolRunner", "Async")):
            yield Patch(f"{runner}:{kind}.__run__", _runner.run, since="0.68", overrides=True)
            response = f"{runner}:{kind}._generate_tool_call_response"
            yield Patch(response, entering, since="0.68")
            stream = f"{runner}:Beta{prefix}StreamingToolRunner._run_tools_while_streaming"
            yield Patch(stream, entering, since="1.9")
            toolset = f"anthropic.lib.tools._toolsets._runnable:Beta{prefix}RunnableToolset.call"
            yield Patch(toolset, _runner.member, since="1.12", subclasses=True)
            yield Patch(f"{tools}:Beta{prefix}FunctionTool.call", _runner.tool, since="0.68")
            builtin = f"{tools}:Beta{prefix}BuiltinFunctionTool.call"
            yield Patch(builtin, _runner.tool, since="0.69", subclasses=True)
