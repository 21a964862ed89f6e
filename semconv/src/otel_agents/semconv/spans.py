"""All span types by id: operations, kinds, name, attributes with their requirement levels.

A pending rename in the conventions is an edit of the tables that this module collects.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .client_spans import (
    GEN_AI_CLIENT_INFERENCE,
    GEN_AI_CREATE_AGENT_CLIENT,
    GEN_AI_EMBEDDINGS_CLIENT,
    GEN_AI_FETCH_RESPONSE_CLIENT,
    GEN_AI_INVOKE_AGENT_CLIENT,
    GEN_AI_MEMORY_CLIENT,
    GEN_AI_RETRIEVAL_CLIENT,
)
from .internal_spans import (
    GEN_AI_EXECUTE_TOOL_INTERNAL,
    GEN_AI_INVOKE_AGENT_INTERNAL,
    GEN_AI_INVOKE_WORKFLOW_INTERNAL,
    GEN_AI_PLAN_INTERNAL,
    OTEL_AGENTS_STEP,
)
from .mcp_spans import (
    MCP_CLIENT,
    MCP_SERVER,
)
from .span_type import Kind, SpanType

__all__ = [
    "GEN_AI_CLIENT_INFERENCE",
    "GEN_AI_CREATE_AGENT_CLIENT",
    "GEN_AI_EMBEDDINGS_CLIENT",
    "GEN_AI_EXECUTE_TOOL_INTERNAL",
    "GEN_AI_FETCH_RESPONSE_CLIENT",
    "GEN_AI_INVOKE_AGENT_CLIENT",
    "GEN_AI_INVOKE_AGENT_INTERNAL",
    "GEN_AI_INVOKE_WORKFLOW_INTERNAL",
    "GEN_AI_MEMORY_CLIENT",
    "GEN_AI_PLAN_INTERNAL",
    "GEN_AI_RETRIEVAL_CLIENT",
    "MCP_CLIENT",
    "MCP_SERVER",
    "OTEL_AGENTS_STEP",
    "SPAN_TYPES",
    "Kind",
    "SpanType",
]

SPAN_TYPES: Final[Mapping[str, SpanType]] = MappingProxyType(
    {span.type: span for span in tuple(globals().values()) if isinstance(span, SpanType)}
)
"""All span types by id."""
