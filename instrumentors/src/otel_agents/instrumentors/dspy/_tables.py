"""The table: what DSPy's programs, models and optimizers pass, in its versions."""

from __future__ import annotations

from typing import Final

from otel_agents.instrumentors._core.calls.watching import after, watch, within
from otel_agents.instrumentors._core.patching.patches import Patch

from . import _evaluations, _models, _names, _optimizers, _programs, _retrieval, _tools

__all__ = ["ROWS"]

_ASYNC: Final = "2.6.20"
"""The first version with async programs and tools."""
_EMBEDDINGS: Final = "2.5.35"
"""The first version that is known to have them."""
_EXECUTED: Final = "3.0.4"
"""The first version that is known to execute what a model requested."""
_COMPILE: Final = "2.6.16"
"""The first version whose optimizers have one method in common."""
_OPTIMIZERS: Final = (
    *("bootstrap:BootstrapFewShot", "copro_optimizer:COPRO", "knn_fewshot:KNNFewShot"),
    *("mipro_optimizer_v2:MIPROv2", "random_search:BootstrapFewShotWithRandomSearch"),
    "vanilla:LabeledFewShot",
)

_PROGRAMS: Final = tuple(
    Patch(
        f"dspy.primitives.{module}:Module.{method}",
        _programs.run,
        overrides=True,
        since=since,
        one_of=f"{method} of programs",
    )
    for module in ("module", "program")
    for method, since in (("__call__", None), ("acall", _ASYNC))
)
"""``dspy.primitives.program`` holds the class before 3.0."""

_NAMES: Final = tuple(
    Patch(
        f"dspy.signatures.signature:{holder}.{method}",
        after(_names.derived),
        one_of=f"{method} of signatures",
    )
    for holder in ("Signature", "SignatureMeta")
    for method in ("insert", "with_instructions", "with_updated_fields", "load_state")
)
"""Early versions have these methods on the metaclass."""

_MODELS: Final = (
    Patch("dspy.clients.execution:_attempt", _models.attempt, since="3.4"),
    Patch("dspy.clients.execution:_aattempt", _models.attempt, since="3.4"),
    Patch(
        "dspy._vendor.lm15.result:StreamAccumulator.push",
        watch(_models.chunk_received),
        since="3.4",
    ),
    *(
        Patch(f"dspy.clients.lm:{name}", _models.over_litellm, until="3.4", one_of="models")
        for kind in ("completion", "text_completion", "responses_completion")
        for name in (f"litellm_{kind}", f"alitellm_{kind}")
    ),
    *(
        Patch(
            f"dspy.clients.base_lm:BaseLM.{method}",
            _models.custom_model,
            subclasses=True,
            since="2.6.27",
        )
        for method in ("forward", "aforward")
    ),
)

_TOOLS: Final = (
    *(
        Patch(
            f"{target}.{method}",
            _tools.tool,
            since=since,
            until=until,
            one_of=f"{method} of tools",
        )
        for target, until in (
            ("dspy.adapters.types.tool:Tool", None),
            ("dspy.primitives.tool:Tool", None),
            ("dspy.predict.react:Tool", "2.6.1"),
        )
        for method, since in (("__call__", None), ("acall", _ASYNC))
    ),
    Patch(
        "dspy.adapters.types.tool:ToolCalls.ToolCall.execute",
        _tools.executed,
        since=_EXECUTED,
    ),
    Patch("dspy.predict.avatar.avatar:Avatar._call_tool", _tools.avatar),
    Patch("dspy.predict.react:ReAct.act", _tools.act, one_of="__call__ of tools"),
    *(
        Patch(
            f"dspy.predict.program_of_thought:ProgramOfThought.{method}",
            _tools.code,
            one_of="code",
        )
        for method in ("_execute_code", "execute_code")
    ),
    Patch("dspy.predict.rlm:RLM._execute_code", _tools.explored, since="3.2.1"),
)

_RETRIEVERS: Final = (
    *(
        Patch(f"{target}.__call__", _retrieval.search, overrides=True, one_of="retrievers")
        for target in (
            "dspy.retrievers.retrieve:Retrieve",
            "dspy.retrieve.retrieve:Retrieve",
            "dspy.retrievers.embeddings:Embeddings",
            "dspy.dsp.colbertv2:ColBERTv2",
            "dspy.dsp.colbertv2:ColBERTv2RetrieverLocal",
            "dsp.modules.colbertv2:ColBERTv2",
            "dsp.modules.colbertv2:ColBERTv2RetrieverLocal",
        )
    ),
    Patch("dspy.utils.unbatchify:Unbatchify.__call__", _retrieval.queued, since=_EMBEDDINGS),
    Patch(
        "dspy.retrievers.embeddings:Embeddings._batch_forward",
        within(_retrieval.searching),
        since=_EMBEDDINGS,
    ),
)

_EXAMPLES: Final = (
    Patch("dspy.evaluate.evaluate:Evaluate.__call__", _evaluations.evaluate),
    Patch(
        "dspy.teleprompt.bootstrap_finetune:bootstrap_trace_data",
        within(_evaluations.tracing),
        since="2.6",
        until="3",
    ),
    Patch(
        "dspy.teleprompt.bootstrap_trace:bootstrap_trace_data",
        within(_evaluations.tracing),
        since="3",
    ),
    *(
        Patch(target, _evaluations.execute, one_of="examples")
        for target in (
            "dspy.utils.parallelizer:ParallelExecutor.execute",
            "dspy.evaluate.evaluate:Evaluate._execute_single_thread",
            "dspy.evaluate.evaluate:Evaluate._execute_multi_thread",
        )
    ),
    Patch("dspy.predict.parallel:Parallel.__call__", _evaluations.parallel, since="2.5.30"),
    *(
        Patch(
            f"dspy.primitives.{module}:Module.batch",
            _evaluations.batch,
            since="2.5.30",
            one_of="batch",
        )
        for module in ("module", "program")
    ),
    Patch(
        "dspy.teleprompt.teleprompt:Teleprompter.compile",
        _optimizers.compiling,
        overrides=True,
        since=_COMPILE,
    ),
    *(
        Patch(f"dspy.teleprompt.{name}.compile", _optimizers.compiling, until=_COMPILE)
        for name in _OPTIMIZERS
    ),
)

ROWS: Final = (
    *(*_PROGRAMS, *_NAMES, *_MODELS, *_TOOLS),
    *(*_RETRIEVERS, *_EXAMPLES),
)
