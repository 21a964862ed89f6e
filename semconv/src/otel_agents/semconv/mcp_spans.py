"""Span types of the Model Context Protocol.

Source: MCP semconv, "Spans", autumn 2026.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from . import attributes as attr
from .groups import (
    CALLER,
    ERROR,
    MCP_WIRE,
    OURS,
    TOOL_CONTENT,
)
from .requirements import (
    IF_KNOWN,
    OPT_IN,
    RECOMMENDED_IF_KNOWN,
    REQUIRED,
    Requirements,
)
from .span_type import SpanType
from .values import Operation

_MCP: Final[Requirements] = MappingProxyType(
    {
        **ERROR,
        **CALLER,
        **TOOL_CONTENT,
        **OURS,
        **MCP_WIRE,
        attr.MCP_METHOD_NAME: REQUIRED,
        attr.GEN_AI_OPERATION_NAME: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_PROMPT_NAME: IF_KNOWN,
        attr.GEN_AI_PROMPT_VARIABLE: OPT_IN,
        attr.GEN_AI_TOOL_NAME: IF_KNOWN,
        attr.MCP_RESOURCE_URI: IF_KNOWN,
        attr.OTEL_AGENTS_STEP_TYPE: RECOMMENDED_IF_KNOWN,  # where the conventions have no operation
    }
)
# MCP, "Client"
MCP_CLIENT: Final = SpanType(
    "mcp.client",
    (Operation.EXECUTE_TOOL,),
    ("CLIENT",),
    None,
    {
        **_MCP,
        attr.SERVER_ADDRESS: RECOMMENDED_IF_KNOWN,
        attr.SERVER_PORT: RECOMMENDED_IF_KNOWN,
    },
)
# MCP, "Server"
MCP_SERVER: Final = SpanType(
    "mcp.server",
    (Operation.EXECUTE_TOOL,),
    ("SERVER",),
    None,
    {
        **_MCP,
        attr.CLIENT_ADDRESS: RECOMMENDED_IF_KNOWN,
        attr.CLIENT_PORT: RECOMMENDED_IF_KNOWN,
    },
)
