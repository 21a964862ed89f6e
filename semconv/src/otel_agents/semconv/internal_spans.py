"""Span types of work in this process: agents, workflows, plans, tools, and our own steps.

Source: GenAI semconv, "Spans", autumn 2026; a comment above each names the section.
"""

from __future__ import annotations

from typing import Final

from . import attributes as attr
from .groups import (
    CONVERSATION,
    ERROR,
    EVALUATOR,
    INVOKED,
    MCP_WIRE,
    MESSAGES,
    OPERATION,
    OURS,
    STREAM,
    TOOL_CONTENT,
)
from .requirements import (
    IF_KNOWN,
    OPT_IN,
    RECOMMENDED_IF_KNOWN,
    REQUIRED,
)
from .span_type import SpanType
from .values import Operation

# "Invoke agent", internal: in this process
GEN_AI_INVOKE_AGENT_INTERNAL: Final = SpanType(
    "gen_ai.invoke_agent.internal",
    (Operation.INVOKE_AGENT,),
    ("INTERNAL",),
    attr.GEN_AI_AGENT_NAME,
    {
        **OPERATION,
        **INVOKED,
        attr.OTEL_AGENTS_STEP_COUNT: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_STEP_NUMBER: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_TURN: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_AGENT_DESCRIPTION: IF_KNOWN,
        attr.GEN_AI_AGENT_NAME: IF_KNOWN,
    },
    (attr.GEN_AI_OPERATION_NAME, attr.GEN_AI_AGENT_NAME),
)
# "Invoke workflow"
GEN_AI_INVOKE_WORKFLOW_INTERNAL: Final = SpanType(
    "gen_ai.invoke_workflow.internal",
    (Operation.INVOKE_WORKFLOW,),
    ("INTERNAL",),
    attr.GEN_AI_WORKFLOW_NAME,
    {
        **OPERATION,
        **CONVERSATION,
        **MESSAGES,
        **OURS,
        **STREAM,
        attr.OTEL_AGENTS_STEP_COUNT: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_STEP_NUMBER: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_WORKFLOW_NAME: IF_KNOWN,
    },
)
# "Plan"
GEN_AI_PLAN_INTERNAL: Final = SpanType(
    "gen_ai.plan.internal",
    (Operation.PLAN,),
    ("INTERNAL",),
    attr.GEN_AI_AGENT_NAME,
    {**OPERATION, **CONVERSATION, attr.GEN_AI_AGENT_NAME: IF_KNOWN},
    (attr.GEN_AI_OPERATION_NAME, attr.GEN_AI_AGENT_NAME),
)
# "Execute tool", with its refinements for skills and commands
GEN_AI_EXECUTE_TOOL_INTERNAL: Final = SpanType(
    "gen_ai.execute_tool.internal",
    (Operation.EXECUTE_TOOL,),
    ("INTERNAL",),
    attr.GEN_AI_TOOL_NAME,
    {
        **OPERATION,
        **CONVERSATION,
        **TOOL_CONTENT,
        **OURS,
        **STREAM,
        attr.GEN_AI_TOOL_NAME: REQUIRED,
        attr.GEN_AI_AGENT_NAME: IF_KNOWN,
        attr.GEN_AI_TOOL_CALL_ID: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_TOOL_DESCRIPTION: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_TOOL_TYPE: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_TOOL_CALLER: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_SKILL_NAME: IF_KNOWN,
        attr.GEN_AI_SKILL_RESOURCE_NAME: IF_KNOWN,
        attr.GEN_AI_SKILL_DESCRIPTION: RECOMMENDED_IF_KNOWN,
        attr.GEN_AI_SKILL_SOURCE_URI: RECOMMENDED_IF_KNOWN,
        attr.PROCESS_EXECUTABLE_NAME: IF_KNOWN,
        attr.PROCESS_EXECUTABLE_PATH: RECOMMENDED_IF_KNOWN,
        attr.PROCESS_EXIT_CODE: IF_KNOWN,
        # Of the request to the server that executes it ("MCP", "Client")
        **MCP_WIRE,
        attr.MCP_METHOD_NAME: RECOMMENDED_IF_KNOWN,
        attr.SERVER_ADDRESS: RECOMMENDED_IF_KNOWN,
        attr.SERVER_PORT: RECOMMENDED_IF_KNOWN,
    },
    (
        attr.GEN_AI_OPERATION_NAME,
        attr.GEN_AI_TOOL_NAME,
        attr.GEN_AI_TOOL_TYPE,
        attr.GEN_AI_AGENT_NAME,
    ),
)
OTEL_AGENTS_STEP: Final = SpanType(
    "otel_agents.step",
    (),
    ("INTERNAL",),
    None,
    {
        **ERROR,
        **CONVERSATION,
        **OURS,
        **STREAM,
        attr.GEN_AI_EVALUATION_NAME: IF_KNOWN,
        attr.GEN_AI_EVALUATION_SCORE_VALUE: IF_KNOWN,
        attr.GEN_AI_EVALUATION_SCORE_LABEL: IF_KNOWN,
        attr.GEN_AI_EVALUATION_EXPLANATION: OPT_IN,
        attr.GEN_AI_RESPONSE_ID: RECOMMENDED_IF_KNOWN,
        **EVALUATOR,
        attr.OTEL_AGENTS_HANDOFF_FROM: IF_KNOWN,
        attr.OTEL_AGENTS_HANDOFF_TO: IF_KNOWN,
        attr.OTEL_AGENTS_STEP_TYPE: REQUIRED,
        attr.OTEL_AGENTS_STEP_COUNT: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_STEP_NUMBER: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_STEP_OUTCOME: RECOMMENDED_IF_KNOWN,
        attr.OTEL_AGENTS_TURN: RECOMMENDED_IF_KNOWN,
    },
    (attr.OTEL_AGENTS_STEP_TYPE,),
)
"""Our own, where the conventions have no span type: without ``gen_ai.operation.name``."""
