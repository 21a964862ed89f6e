"""What an application knows itself: its steps, its tools, its users, its model calls.

    from otel_agents.api import agent, tool

    @tool
    def weather(city: str) -> str: ...

    with agent("planner") as run:
        run.input("A trip to Bern, please.")
        run.output(plan("Bern"))

Each function returns a decorator that is a context manager too. Decorated functions keep their
kind (sync, async, generator), their signature and their type. The operations are those of the
instrumentors, so that both kinds of spans form one tree, and the content policy holds for both.
Without an SDK nothing is recorded, and nothing but this module is imported.
"""

from __future__ import annotations

from ._agents import AgentBlock, HandoffBlock, WorkflowBlock, agent, handoff, workflow
from ._blocks import Block
from ._evaluations import evaluation, feedback, reference
from ._model_calls import (
    EmbeddingsBlock,
    InferenceBlock,
    ModelBlock,
    current_call,
    embeddings,
    inference,
)
from ._providers import configure, flush
from ._sources import MemoryBlock, RetrievalBlock, memory, retrieval
from ._steps import StepBlock, ToolBlock, step, tool
from ._surroundings import ContextBlock, content, identity, untraced

__all__ = [
    "AgentBlock",
    "Block",
    "ContextBlock",
    "EmbeddingsBlock",
    "HandoffBlock",
    "InferenceBlock",
    "MemoryBlock",
    "ModelBlock",
    "RetrievalBlock",
    "StepBlock",
    "ToolBlock",
    "WorkflowBlock",
    "agent",
    "configure",
    "content",
    "current_call",
    "embeddings",
    "evaluation",
    "feedback",
    "flush",
    "handoff",
    "identity",
    "inference",
    "memory",
    "reference",
    "retrieval",
    "step",
    "tool",
    "untraced",
    "workflow",
]
