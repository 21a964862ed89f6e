"""The table: the handler's registration, and the target of everything that it cannot follow."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Final

from otel_agents.instrumentors._core.calls.call import instance
from otel_agents.instrumentors._core.calls.watching import after, instead, replacing, watch
from otel_agents.instrumentors._core.patching.patches import Patch, Registration, Row

from . import _engines, _evaluations, _memories, _models, _workflows

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["ROWS"]

_CORE: Final = "llama_index.core"
_SINCE: Final = MappingProxyType({"llama-index-workflows": "1"})
"""Workflows are a distribution of their own, which does not need the core."""
_LEFT: Final = "0.12.43"
"""The first version of the core that workflows are no part of."""
_RAISES: Final = MappingProxyType({"llama-index-workflows": "2.9"})
_UNTIL: Final = MappingProxyType({"llama-index-workflows": "2.17"})


def _register(telemetry: Telemetry, module: ModuleType) -> Callable[[], None]:
    from . import _handler  # it imports LlamaIndex

    return _handler.register(telemetry, module)


_MODELS: Final = tuple(
    Patch(f"{_CORE}.base.llms.base:BaseLLM.{prefix}{method}", _models.model_call, subclasses=True)
    for prefix in ("", "a")
    for method in ("chat", "complete", "stream_chat", "stream_complete")
)
_EMBEDDINGS: Final = tuple(
    Patch(
        f"{_CORE}.base.embeddings.base:BaseEmbedding._{prefix}get_{method}",
        _models.embeddings_call,
        subclasses=True,
    )
    for prefix in ("", "a")
    for method in ("query_embedding", "text_embedding", "text_embeddings")
)
_SYNTHESIZERS: Final = (
    *(
        Patch(
            f"{_CORE}.response_synthesizers.{target}.{prefix}get_response",
            start,
            once_per=instance,
        )
        for target, start in (
            ("refine:Refine", _engines.synthesis),
            ("tree_summarize:TreeSummarize", _engines.summary),
            ("accumulate:Accumulate", _engines.synthesis),
        )
        for prefix in ("", "a")
    ),
    *(
        Patch(
            f"{_CORE}.response_synthesizers.base:BaseSynthesizer.{prefix}synthesize",
            replacing(_engines.synthesized),
            overrides=True,
        )
        for prefix in ("", "a")
    ),
)
_INGESTION: Final = (
    Patch(f"{_CORE}.ingestion.pipeline:IngestionPipeline.run", _engines.pipeline),
    Patch(f"{_CORE}.ingestion.pipeline:IngestionPipeline.arun", _engines.pipeline),
    Patch(f"{_CORE}.indices.base:BaseIndex.from_documents", _engines.indexing, overrides=True),
)
_EVALUATIONS: Final = (
    Patch(
        f"{_CORE}.evaluation.base:BaseEvaluator.evaluate", _evaluations.evaluation, overrides=True
    ),
    Patch(
        f"{_CORE}.evaluation.base:BaseEvaluator.aevaluate", _evaluations.evaluation, subclasses=True
    ),
    *(
        Patch(
            f"{_CORE}.evaluation.batch_runner:BatchEvalRunner.aevaluate_{what}",
            _evaluations.batch,
            once_per=instance,
        )
        for what in ("response_strs", "responses", "queries")
    ),
)
_MEMORIES: Final = tuple(
    Patch(f"{_CORE}.memory.memory:BaseMemoryBlock.{name}", start, since="0.12.37")
    for name, start in (("aget", _memories.get), ("aput", _memories.put))
)
_CALLED: Final = (
    Patch(
        f"{_CORE}.workflow.workflow:Workflow.run",
        instead(_workflows.called),
        since="0.10.59",
        until=_LEFT,
    ),
    Patch(
        "workflows.workflow:Workflow.run",
        instead(_workflows.called),
        since=_SINCE,
        until=_UNTIL,
    ),
)
_WAITING: Final = (
    Patch(
        "workflows.context.context:Context.wait_for_event",
        after(failed=_workflows.on_waiting),
        since=_RAISES,
    ),
    Patch(
        "workflows.context.context:Context.wait_for_event",
        watch(_workflows.on_waited),
        since=_SINCE,
        until=_RAISES,
    ),
    Patch(
        f"{_CORE}.workflow.context:Context.wait_for_event",
        watch(_workflows.on_waited),
        since="0.12.30",
        until=_LEFT,
    ),
)

ROWS: Final[tuple[Row, ...]] = (
    Registration(f"{_CORE}.instrumentation", _register),
    Registration("workflows.workflow", _register, since=_SINCE),
    *(
        *_MODELS,
        *_EMBEDDINGS,
        *_SYNTHESIZERS,
        *_INGESTION,
        *_EVALUATIONS,
        *_MEMORIES,
        *_CALLED,
        *_WAITING,
    ),
)
