"""Instrumentor for DSPy: programs, agents, tools, retrievers, evaluations and optimizers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["DSPyInstrumentor"]


class DSPyInstrumentor(AgentInstrumentor):
    """Record the programs of ``dspy``, and the model calls that it sends itself.

    A model call over LiteLLM or an SDK is recorded by its instrumentor, and here if there is none.

    Example:
        >>> from otel_agents.instrumentors.dspy import DSPyInstrumentor
        >>> instrumentor = DSPyInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of dspy
        >>> # each call of a program is one trace from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "dspy"
    requires = ("dspy >= 2.5.17, < 4",)
    conflicting = ("openinference-instrumentation-dspy",)
    covers = (
        "programs, predictors, agents (ReAct, CodeAct, RLM), tools, code that a model wrote",
        "retrievers, `Parallel`, `batch`, `Evaluate` with its scores, optimizers",
        "sync, async, `streamify`, `asyncify`",
        "models over DSPy's own HTTP, LiteLLM or an SDK, and the application's own",
    )

    def patches(self) -> Iterable[Patch]:
        """Return the patches of programs, tools, models and what runs programs over examples."""
        from ._tables import ROWS

        return ROWS
