"""All metrics: instrument, unit, bucket boundaries and attributes.

Source: GenAI semconv, "Metrics" and MCP semconv, "Metrics", autumn 2026. The tables named
*previous* are those of the release before, which the official packages still emit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from . import attributes as attr
from .requirements import (
    AFTER_ERROR,
    IF_KNOWN,
    OPT_IN,
    RECOMMENDED,
    RECOMMENDED_IF_KNOWN,
    REQUIRED,
    WITH_SERVER,
    Requirements,
)

Instrument = Literal["histogram", "counter"]


@dataclass(frozen=True)
class Metric:
    """One metric.

    Example:
        >>> metric = METRICS["gen_ai.client.operation.duration"]
        >>> metric.instrument, metric.unit
        ('histogram', 's')

    Attributes:
        name: The metric's name.
        instrument: ``histogram`` or ``counter``.
        unit: The unit, in UCUM.
        description: The description, for the instrument.
        attributes: The allowed attributes with their requirement levels.
        buckets: The advised bucket boundaries of a histogram, in ``unit``.
    """

    name: str
    instrument: Instrument
    unit: str
    description: str
    attributes: Requirements
    buckets: tuple[float, ...] = ()


_CLIENT: Final[Requirements] = MappingProxyType(
    {
        attr.GEN_AI_OPERATION_NAME: REQUIRED,
        attr.GEN_AI_PROVIDER_NAME: REQUIRED,
        attr.GEN_AI_REQUEST_MODEL: IF_KNOWN,
        attr.GEN_AI_RESPONSE_MODEL: RECOMMENDED,
        attr.SERVER_ADDRESS: RECOMMENDED,
        attr.SERVER_PORT: WITH_SERVER,
        attr.OPENAI_RESPONSE_SERVICE_TIER: RECOMMENDED_IF_KNOWN,
        attr.OPENAI_RESPONSE_SYSTEM_FINGERPRINT: RECOMMENDED_IF_KNOWN,
    }
)
_ERROR: Final[Requirements] = MappingProxyType({attr.ERROR_TYPE: AFTER_ERROR})
_TIMED: Final[Requirements] = MappingProxyType({**_CLIENT, **_ERROR})
_OPERATION: Final[Requirements] = MappingProxyType({**_TIMED, attr.GEN_AI_PROVIDER_NAME: IF_KNOWN})
_MODAL: Final[Requirements] = MappingProxyType({**_CLIENT, attr.GEN_AI_TOKEN_MODALITY: REQUIRED})

_DURATION: Final = tuple(0.01 * 2**n for n in range(14))
_TOKENS: Final = tuple(float(4**n) for n in range(14))
_AGENT: Final = tuple(0.1 * 2**n for n in range(13))
_WORKFLOW: Final = (1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0)
_CALLS: Final = tuple(float(2**n) for n in range(8))
_MCP: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_TOKEN_TIME: Final = (*(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5),)
_FIRST_TOKEN: Final = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1),
    *(0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)


def _seconds(
    name: str, description: str, attributes: Requirements, buckets: tuple[float, ...] = _DURATION
) -> Metric:
    return Metric(name, "histogram", "s", description, attributes, buckets)


def _tokens(name: str, description: str) -> Metric:
    return Metric(name, "counter", "{token}", description, _MODAL)


# Client operations, the same in both generations.
GEN_AI_CLIENT_OPERATION_DURATION: Final = _seconds(
    "gen_ai.client.operation.duration", "Duration of client operations.", _OPERATION
)

# Previous generation.
GEN_AI_CLIENT_TOKEN_USAGE: Final = Metric(
    "gen_ai.client.token.usage",
    "histogram",
    "{token}",
    "Tokens of one operation, by input and output.",
    {**_CLIENT, attr.GEN_AI_TOKEN_TYPE: REQUIRED},
    _TOKENS,
)
GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK: Final = _seconds(
    "gen_ai.client.operation.time_to_first_chunk", "Time to the first chunk of a stream.", _CLIENT
)
GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK: Final = _seconds(
    "gen_ai.client.operation.time_per_output_chunk", "Time between chunks of a stream.", _CLIENT
)

# Inference, latest generation.
GEN_AI_CLIENT_INFERENCE_DURATION: Final = _seconds(
    "gen_ai.client.inference.duration", "Duration of inferences.", _TIMED
)
GEN_AI_CLIENT_INFERENCE_TIME_TO_FIRST_CHUNK: Final = _seconds(
    "gen_ai.client.inference.time_to_first_chunk", "Time to the first chunk of a stream.", _CLIENT
)
GEN_AI_CLIENT_INFERENCE_TIME_PER_OUTPUT_CHUNK: Final = _seconds(
    "gen_ai.client.inference.time_per_output_chunk", "Time between chunks of a stream.", _CLIENT
)
GEN_AI_CLIENT_INFERENCE_OPERATION_INPUT_TOKENS: Final = Metric(
    "gen_ai.client.inference.operation.input_tokens",
    "histogram",
    "{token}",
    "Input tokens of one inference.",
    _TIMED,
    _TOKENS,
)
GEN_AI_CLIENT_INFERENCE_OPERATION_OUTPUT_TOKENS: Final = Metric(
    "gen_ai.client.inference.operation.output_tokens",
    "histogram",
    "{token}",
    "Output tokens of one inference.",
    _TIMED,
    _TOKENS,
)
GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS: Final = _tokens(
    "gen_ai.client.inference.usage.input_tokens", "Input tokens used."
)
GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS: Final = _tokens(
    "gen_ai.client.inference.usage.output_tokens", "Output tokens used."
)
GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS: Final = _tokens(
    "gen_ai.client.inference.usage.cache_read.input_tokens", "Input tokens read from a cache."
)
GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_WRITE_INPUT_TOKENS: Final = _tokens(
    "gen_ai.client.inference.usage.cache_write.input_tokens", "Input tokens written to a cache."
)
GEN_AI_CLIENT_INFERENCE_USAGE_REASONING_OUTPUT_TOKENS: Final = _tokens(
    "gen_ai.client.inference.usage.reasoning.output_tokens", "Output tokens spent on reasoning."
)

# Agents, tools and workflows.
GEN_AI_INVOKE_AGENT_DURATION: Final = _seconds(
    "gen_ai.invoke_agent.duration",
    "Duration of an agent's invocation in the process.",
    {
        **_ERROR,
        attr.GEN_AI_AGENT_NAME: IF_KNOWN,
        attr.GEN_AI_REQUEST_MODEL: RECOMMENDED_IF_KNOWN,
    },
    _AGENT,
)
GEN_AI_INVOKE_AGENT_INFERENCE_CALLS: Final = Metric(
    "gen_ai.invoke_agent.inference_calls",
    "histogram",
    "{inference_call}",
    "Model calls of one invocation, those of sub-agents excluded.",
    {attr.GEN_AI_AGENT_NAME: RECOMMENDED},
    _CALLS,
)
GEN_AI_INVOKE_AGENT_TOOL_CALLS: Final = Metric(
    "gen_ai.invoke_agent.tool_calls",
    "histogram",
    "{tool_call}",
    "Tool calls of one invocation, those of sub-agents excluded.",
    {attr.GEN_AI_AGENT_NAME: RECOMMENDED},
    _CALLS,
)
GEN_AI_INVOKE_WORKFLOW_DURATION: Final = _seconds(
    "gen_ai.invoke_workflow.duration",
    "Duration of a workflow.",
    {**_ERROR, attr.GEN_AI_WORKFLOW_NAME: IF_KNOWN},
    _WORKFLOW,
)
GEN_AI_EXECUTE_TOOL_DURATION: Final = _seconds(
    "gen_ai.execute_tool.duration",
    "Duration of a tool call.",
    {
        attr.GEN_AI_TOOL_NAME: REQUIRED,
        **_ERROR,
        attr.GEN_AI_AGENT_NAME: IF_KNOWN,
        attr.GEN_AI_TOOL_TYPE: RECOMMENDED_IF_KNOWN,
    },
)

# Model servers.
GEN_AI_SERVER_REQUEST_DURATION: Final = _seconds(
    "gen_ai.server.request.duration", "Duration of a request at the model server.", _TIMED
)
GEN_AI_SERVER_TIME_PER_OUTPUT_TOKEN: Final = _seconds(
    "gen_ai.server.time_per_output_token", "Time per token after the first.", _CLIENT, _TOKEN_TIME
)
GEN_AI_SERVER_TIME_TO_FIRST_TOKEN: Final = _seconds(
    "gen_ai.server.time_to_first_token", "Time to the first token.", _CLIENT, _FIRST_TOKEN
)

# The Model Context Protocol.
_MCP_SESSION: Final[Requirements] = MappingProxyType(
    {
        attr.ERROR_TYPE: AFTER_ERROR,
        attr.JSONRPC_PROTOCOL_VERSION: RECOMMENDED_IF_KNOWN,
        attr.MCP_PROTOCOL_VERSION: RECOMMENDED_IF_KNOWN,
        attr.NETWORK_PROTOCOL_NAME: RECOMMENDED_IF_KNOWN,
        attr.NETWORK_PROTOCOL_VERSION: RECOMMENDED_IF_KNOWN,
        attr.NETWORK_TRANSPORT: RECOMMENDED_IF_KNOWN,
    }
)
_MCP_OPERATION: Final[Requirements] = MappingProxyType(
    {
        **_MCP_SESSION,
        attr.MCP_METHOD_NAME: REQUIRED,
        attr.GEN_AI_PROMPT_NAME: IF_KNOWN,
        attr.GEN_AI_TOOL_NAME: IF_KNOWN,
        attr.RPC_RESPONSE_STATUS_CODE: IF_KNOWN,
        attr.GEN_AI_OPERATION_NAME: RECOMMENDED_IF_KNOWN,
        attr.MCP_RESOURCE_URI: OPT_IN,
    }
)
_MCP_SERVER: Final[Requirements] = MappingProxyType(
    {
        attr.SERVER_ADDRESS: RECOMMENDED_IF_KNOWN,
        attr.SERVER_PORT: RECOMMENDED_IF_KNOWN,
    }
)
MCP_CLIENT_OPERATION_DURATION: Final = _seconds(
    "mcp.client.operation.duration",
    "Duration of a request, as seen by its sender.",
    {**_MCP_OPERATION, **_MCP_SERVER},
    _MCP,
)
MCP_SERVER_OPERATION_DURATION: Final = _seconds(
    "mcp.server.operation.duration",
    "Duration of a request, as seen by its receiver.",
    _MCP_OPERATION,
    _MCP,
)
MCP_CLIENT_SESSION_DURATION: Final = _seconds(
    "mcp.client.session.duration",
    "Duration of a session, seen by the client.",
    {**_MCP_SESSION, **_MCP_SERVER},
    _MCP,
)
MCP_SERVER_SESSION_DURATION: Final = _seconds(
    "mcp.server.session.duration", "Duration of a session, seen by the server.", _MCP_SESSION, _MCP
)

# Our own: dropped telemetry, and errors in our own code.
OTEL_AGENTS_SPANS_DROPPED: Final = Metric(
    "otel_agents.spans.dropped",
    "counter",
    "{span}",
    "Spans that were not exported.",
    {attr.OTEL_AGENTS_REASON: REQUIRED},
)
OTEL_AGENTS_LOG_RECORDS_DROPPED: Final = Metric(
    "otel_agents.log_records.dropped",
    "counter",
    "{record}",
    "Log records that were not exported.",
    {attr.OTEL_AGENTS_REASON: REQUIRED},
)
OTEL_AGENTS_POINTS_DROPPED: Final = Metric(
    "otel_agents.points.dropped",
    "counter",
    "{point}",
    "Metric points that were left out, counted in each export.",
    {attr.OTEL_AGENTS_REASON: REQUIRED},
)
OTEL_AGENTS_EXPORT_FAILURES: Final = Metric(
    "otel_agents.export.failures",
    "counter",
    "{request}",
    "Export requests that failed.",
    {attr.OTEL_AGENTS_SIGNAL: REQUIRED},
)
OTEL_AGENTS_COSTS: Final = Metric(
    "otel_agents.cost",
    "counter",
    "{USD}",
    "Cost of model calls in US dollars, where it is known.",
    _CLIENT,
)
OTEL_AGENTS_COST_MISSING: Final = Metric(
    "otel_agents.cost.missing",
    "counter",
    "{call}",
    "Model calls without a cost, by reason.",
    {attr.OTEL_AGENTS_REASON: REQUIRED},
)
OTEL_AGENTS_METRIC_OVERFLOWS: Final = Metric(
    "otel_agents.metric.overflows",
    "counter",
    "{value}",
    "Values of a chosen attribute beyond the limit, which metrics have as _OTHER.",
    {attr.OTEL_AGENTS_REASON: REQUIRED},
)
OTEL_AGENTS_CONTENT_TRUNCATIONS: Final = Metric(
    "otel_agents.content.truncations",
    "counter",
    "{attribute}",
    "Content attributes truncated to their budget.",
    {},
)
OTEL_AGENTS_ERRORS: Final = Metric(
    "otel_agents.errors",
    "counter",
    "{error}",
    "Errors in our own code; the application was unaffected.",
    {attr.OTEL_AGENTS_DOING: REQUIRED},
)

METRICS: Final[Mapping[str, Metric]] = MappingProxyType(
    {metric.name: metric for metric in tuple(globals().values()) if isinstance(metric, Metric)}
)
"""All metrics by name."""
