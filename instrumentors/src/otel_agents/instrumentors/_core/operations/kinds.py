"""The kinds of operations: span kind, metrics, event, and effect on the context."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import Final

from opentelemetry.trace import SpanKind

from otel_agents.instrumentors._core.telemetry.metrics import Measure
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import events, metrics
from otel_agents.semconv.events import Event
from otel_agents.semconv.metrics import Metric
from otel_agents.semconv.values import TokenType

__all__ = [
    "AGENT",
    "CHUNK",
    "CLIENT",
    "CLIENT_ALONE",
    "COMMON_ATTRIBUTES",
    "EMBEDDINGS",
    "INFERENCE",
    "LOCAL_CLIENT",
    "LOCAL_EMBEDDINGS",
    "MCP_CLIENT",
    "MCP_CLIENT_SESSION",
    "MCP_SERVER",
    "MCP_SERVER_SESSION",
    "SCOPE",
    "TOOL",
    "WORKFLOW",
    "Kind",
    "short",
]

_LONGEST_NAME: Final = 256
"""Characters of a name that the application gave: metrics and backends keep it as a label."""


@dataclass(frozen=True)
class Kind:
    """What all operations of one kind have in common.

    Attributes:
        span_kind: The span kind.
        measures: The metrics that are recorded when an operation ends.
        modalities: Whether usage is summed by modality, in the latest generation of metrics.
        event: The event with all details, emitted if the settings enable it.
        independent: Whether no layer above claims the model calls in it.
        conversation: Whether the span type has ``gen_ai.conversation.id``.
    """

    span_kind: SpanKind
    measures: tuple[Measure, ...] = ()
    modalities: bool = False
    event: Event | None = None
    independent: bool = False
    conversation: bool = True


_seconds: Final = attrgetter("duration")
_first_chunk: Final = attrgetter("first_chunk_seconds")


def _duration(metric: Metric, *names: str) -> Measure:
    return Measure(metric, _seconds, (*names, attr.ERROR_TYPE))


# Calls of a provider or a service.

COMMON_ATTRIBUTES: Final = (
    attr.GEN_AI_OPERATION_NAME,
    attr.GEN_AI_PROVIDER_NAME,
    attr.GEN_AI_REQUEST_MODEL,
    attr.SERVER_ADDRESS,
    attr.SERVER_PORT,
    attr.GEN_AI_RESPONSE_MODEL,
    attr.OPENAI_RESPONSE_SERVICE_TIER,
    attr.OPENAI_RESPONSE_SYSTEM_FINGERPRINT,
)
"""The attributes that all client metrics have."""

_CLIENT_DURATION: Final = _duration(metrics.GEN_AI_CLIENT_OPERATION_DURATION, *COMMON_ATTRIBUTES)
_INFERENCE_DURATION: Final = _duration(metrics.GEN_AI_CLIENT_INFERENCE_DURATION, *COMMON_ATTRIBUTES)
_input: Final = attrgetter("input_tokens")
_output: Final = attrgetter("output_tokens")
_TOKENS: Final = metrics.GEN_AI_CLIENT_TOKEN_USAGE
_INPUT_TYPE: Final = MappingProxyType({attr.GEN_AI_TOKEN_TYPE: TokenType.INPUT.value})
_OUTPUT_TYPE: Final = MappingProxyType({attr.GEN_AI_TOKEN_TYPE: TokenType.OUTPUT.value})
_INPUT_TOKENS: Final = Measure(_TOKENS, _input, COMMON_ATTRIBUTES, _INPUT_TYPE, latest=False)

INFERENCE: Final = Kind(
    SpanKind.CLIENT,
    (
        _CLIENT_DURATION._replace(latest=False),
        Measure(
            metrics.GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK,
            _first_chunk,
            COMMON_ATTRIBUTES,
            latest=False,
        ),
        _INPUT_TOKENS,
        Measure(_TOKENS, _output, COMMON_ATTRIBUTES, _OUTPUT_TYPE, latest=False),
        _INFERENCE_DURATION._replace(previous=False),
        Measure(
            metrics.GEN_AI_CLIENT_INFERENCE_TIME_TO_FIRST_CHUNK,
            _first_chunk,
            COMMON_ATTRIBUTES,
            previous=False,
        ),
        Measure(
            metrics.GEN_AI_CLIENT_INFERENCE_OPERATION_INPUT_TOKENS,
            _input,
            COMMON_ATTRIBUTES,
            previous=False,
        ),
        Measure(
            metrics.GEN_AI_CLIENT_INFERENCE_OPERATION_OUTPUT_TOKENS,
            _output,
            COMMON_ATTRIBUTES,
            previous=False,
        ),
    ),
    modalities=True,
    event=events.GEN_AI_CLIENT_INFERENCE_OPERATION_DETAILS,
)
EMBEDDINGS: Final = Kind(SpanKind.CLIENT, (_CLIENT_DURATION, _INPUT_TOKENS), conversation=False)
LOCAL_EMBEDDINGS: Final = Kind(
    SpanKind.INTERNAL, (_CLIENT_DURATION, _INPUT_TOKENS), conversation=False
)
"""Embeddings by a model that this process runs."""
CLIENT: Final = Kind(SpanKind.CLIENT, (_CLIENT_DURATION,))
CLIENT_ALONE: Final = Kind(SpanKind.CLIENT, (_CLIENT_DURATION,), conversation=False)
"""A call of a service that belongs to no conversation."""
LOCAL_CLIENT: Final = Kind(SpanKind.INTERNAL, (_CLIENT_DURATION,), conversation=False)
"""A client operation that this process performs itself, such as a search in local memory."""

_MCP_WIRE: Final = (
    *(attr.JSONRPC_PROTOCOL_VERSION, attr.MCP_PROTOCOL_VERSION),
    *(attr.NETWORK_PROTOCOL_NAME, attr.NETWORK_PROTOCOL_VERSION, attr.NETWORK_TRANSPORT),
)
_MCP: Final = (
    *(attr.MCP_METHOD_NAME, attr.GEN_AI_TOOL_NAME, attr.GEN_AI_PROMPT_NAME),
    *(attr.GEN_AI_OPERATION_NAME, attr.RPC_RESPONSE_STATUS_CODE),
    *_MCP_WIRE,
)
_SERVER: Final = (attr.SERVER_ADDRESS, attr.SERVER_PORT)
MCP_CLIENT: Final = Kind(
    SpanKind.CLIENT,
    (_duration(metrics.MCP_CLIENT_OPERATION_DURATION, *_MCP, *_SERVER),),
    conversation=False,
)
MCP_SERVER: Final = Kind(
    SpanKind.SERVER,
    (_duration(metrics.MCP_SERVER_OPERATION_DURATION, *_MCP),),
    independent=True,
    conversation=False,
)
MCP_CLIENT_SESSION: Final = (_duration(metrics.MCP_CLIENT_SESSION_DURATION, *_MCP_WIRE, *_SERVER),)
MCP_SERVER_SESSION: Final = (_duration(metrics.MCP_SERVER_SESSION_DURATION, *_MCP_WIRE),)


_last_chunk: Final = attrgetter("chunk_seconds")
CHUNK: Final = (
    Measure(
        metrics.GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK,
        _last_chunk,
        COMMON_ATTRIBUTES,
        latest=False,
    ),
    Measure(
        metrics.GEN_AI_CLIENT_INFERENCE_TIME_PER_OUTPUT_CHUNK,
        _last_chunk,
        COMMON_ATTRIBUTES,
        previous=False,
    ),
)
"""The metrics of the time between two chunks of a stream."""


# Operations in this process. Inside one, no layer claims a model call yet.

WORKFLOW: Final = Kind(
    SpanKind.INTERNAL,
    (_duration(metrics.GEN_AI_INVOKE_WORKFLOW_DURATION, attr.GEN_AI_WORKFLOW_NAME),),
    independent=True,
)
_NAMED: Final = (attr.GEN_AI_AGENT_NAME,)
AGENT: Final = Kind(
    SpanKind.INTERNAL,
    (
        _duration(metrics.GEN_AI_INVOKE_AGENT_DURATION, *_NAMED, attr.GEN_AI_REQUEST_MODEL),
        Measure(
            metrics.GEN_AI_INVOKE_AGENT_INFERENCE_CALLS,
            attrgetter("scope.inference_calls"),
            _NAMED,
            previous=False,
        ),
        Measure(
            metrics.GEN_AI_INVOKE_AGENT_TOOL_CALLS,
            attrgetter("scope.tool_calls"),
            _NAMED,
            previous=False,
        ),
    ),
    independent=True,
)
TOOL: Final = Kind(
    SpanKind.INTERNAL,
    (
        _duration(
            metrics.GEN_AI_EXECUTE_TOOL_DURATION,
            *(attr.GEN_AI_TOOL_NAME, attr.GEN_AI_TOOL_TYPE, attr.GEN_AI_AGENT_NAME),
        ),
    ),
    independent=True,
)
SCOPE: Final = Kind(SpanKind.INTERNAL, independent=True)
"""A plan, or a step of our own: without a metric."""


def short(name: str | None) -> str | None:
    """Return the name that is recorded for ``name``: its start, if it is too long for one."""
    if name is None or len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 1]}…"
