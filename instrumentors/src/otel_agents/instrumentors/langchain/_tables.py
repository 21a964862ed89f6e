"""The table: the handler's registration, and the target of everything that it does not see."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Final

from otel_agents.instrumentors._core.calls.watching import (
    attaching_by_arguments,
    instead,
    watch,
    within,
)
from otel_agents.instrumentors._core.patching.patches import Landmark, Patch, Registration, Row

from . import _chains, _conversations, _graphs, _models, _outside, _runs, _work

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.calls.call import Wrapping
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["ROWS"]

_CORE: Final = "langchain_core"
_CHAT: Final = f"{_CORE}.language_models.chat_models:BaseChatModel"
_COMPLETION: Final = f"{_CORE}.language_models.llms:BaseLLM"
_STREAMS: Final = ("stream", "astream")
_CALLBACKS: Final = "langgraph.callbacks"
_INTERNAL: Final = "langgraph._internal._runnable"
_RUNS: Final = "contexts of runs"
_NODES: Final = "contexts of nodes"
_TASKS: Final = "contexts of async nodes"
_in_own_run: Final = within(_runs.context_of_manager)
_within_run: Final = within(_runs.context_of_runnable)


def _register(telemetry: Telemetry, module: ModuleType) -> Callable[[], None]:
    from . import _handler  # it imports LangChain

    return _handler.register(telemetry, module)


class _Directly:
    """Calls our handler directly; see `_handler.directly`."""

    def bind(self, telemetry: Telemetry) -> Wrapping:
        from . import _handler

        return _handler.directly


_in_run: Final = attaching_by_arguments(_runs.context_of_config)
_CONTEXTS: Final = (
    *(
        Patch(f"{_CORE}.{module}:_set_config_context", _in_run, since="0.2.5", one_of=_RUNS)
        for module in (
            *("runnables.config", "runnables.base", "runnables.fallbacks", "tools.base", "tools"),
        )
    ),
    Patch(f"{_INTERNAL}:_set_config_context", _in_run, one_of=_NODES),
    Patch("langgraph.utils.runnable:_set_config_context", _in_run, one_of=_NODES),
    Patch("langgraph.utils:RunnableCallable.invoke", _within_run, one_of=_NODES),
    Patch("langgraph.utils:RunnableCallable.ainvoke", _within_run, one_of=_NODES),
)
"""Before langchain-core 0.3.48 and langgraph 0.3 other modules bind the function by its name."""

_TOOLS: Final = tuple(
    Patch(f"{_CORE}.tools:BaseTool.{method}", _work.running, subclasses=True)
    for method in ("_run", "_arun")
)
_FIRST_CONTEXTS: Final = (
    *(
        Patch(f"{_CORE}.runnables.base:RunnableLambda.{method}", _in_own_run, until="0.2.5")
        for method in ("_invoke", "_ainvoke")
    ),
)
"""Before langchain-core 0.2.5 there is no function that all code of a run passes."""

_OLD_CONTEXTS: Final = (
    Patch(f"{_INTERNAL}:RunnableCallable.ainvoke", _within_run, one_of=_TASKS),
    Patch("langgraph.utils.runnable:RunnableCallable.ainvoke", _within_run, one_of=_TASKS),
    Patch("langgraph.utils:RunnableCallable.ainvoke", _within_run, one_of=_TASKS),
)
"""Before Python 3.11 a task takes no context, and async nodes run without one of their own."""

_GRAPHS: Final = (
    *(
        Patch(f"{target}.{method}", watch(_graphs.on_graph), since=since, until=until)
        for target, since, until in (
            ("langgraph.pregel.main:Pregel", "0.6", None),
            ("langgraph.pregel:Pregel", None, "0.6"),
        )
        for method in ("stream", "astream")
    ),
    *(
        Patch(f"{_CALLBACKS}:{manager}.on_interrupt", watch(_graphs.on_interrupt), since="1.1.7")
        for manager in ("_GraphCallbackManager", "_AsyncGraphCallbackManager")
    ),
    *(
        Patch(
            f"langgraph.pregel.{module}:PregelLoop._suppress_interrupt",
            watch(_graphs.on_loop_exit),
            since=since,
            until=until,
        )
        for module, since, until in (("loop", "0.2.57", "0.6"), ("_loop", "0.6", "1.1.7"))
    ),
)

_LANDMARKS: Final = (
    Landmark("langchain.agents.factory:create_agent", since="1.0"),
    Landmark("langgraph.prebuilt.chat_agent_executor:create_react_agent"),
    Landmark("langgraph_supervisor.supervisor:_make_call_agent"),
)
"""What agents and supervisors are recognized by, see `_graphs`."""

_MODELS: Final = tuple(
    Patch(f"{target}.{method}", start, subclasses=True)
    for target, start in (
        (_CHAT, _models.chat_model_call),
        (_COMPLETION, _models.completion_model_call),
    )
    for method in ("_generate", "_agenerate", "_stream", "_astream")
)
_EVENTS: Final = tuple(
    Patch(f"{_CHAT}.{method}", _models.native_model_call, since="1.3.2")
    for method in ("_iter_v2_events", "_aiter_v2_events")
)

_LABELS: Final = (
    *(
        Patch(f"{model}.{method}", within(_conversations.model_stream_context))
        for model in (_CHAT, _COMPLETION)
        for method in _STREAMS
    ),
    *(
        Patch(f"{model}.{method}", within(_conversations.model_conversation))
        for model in (_CHAT, _COMPLETION)
        for method in ("invoke", "ainvoke")
    ),
    Patch(
        f"{_CORE}.runnables.config:_get_langsmith_inheritable_metadata_from_config",
        watch(_conversations.on_config),
        since="1.3.0",
    ),
    *(
        Patch(f"{_CHAT}.{method}", within(_models.model_context))
        for method in ("_generate_with_cache", "_agenerate_with_cache")
    ),
)
"""Where the run of a model, its tags and its metadata, and its conversation are known."""

_COMPOSITES: Final = tuple(
    Patch(f"{_CORE}.runnables.base:{kind}.{method}", _chains.on_composite)
    for kind in ("RunnableSequence", "RunnableParallel")
    for method in ("invoke", "ainvoke", "transform", "atransform")
)

_LEGACY: Final = tuple(
    row
    for package, until in (("langchain_classic", None), ("langchain", "1.0"))
    for row in (
        *(
            Patch(f"{package}.chains.base:Chain.{method}", watch(_graphs.on_executor), until=until)
            for method in ("invoke", "ainvoke")
        ),
        *(
            Patch(
                f"{package}.chains.base:Chain.{method}", _in_own_run, subclasses=True, until=until
            )
            for method in ("_call", "_acall")
        ),
        *(
            Patch(
                f"{package}.agents.agent_iterator:AgentExecutorIterator.{method}",
                watch(_graphs.on_iterator),
                until=until,
            )
            for method in ("__iter__", "__aiter__")
        ),
    )
)
"""Chains of before LCEL, which run no code in a context of their own."""

_SEARCHES: Final = (
    *(
        Patch(f"{_CORE}.retrievers:BaseRetriever.{method}", _work.searching, subclasses=True)
        for method in ("_get_relevant_documents", "_aget_relevant_documents")
    ),
    *(
        Patch(
            f"{_CORE}.documents.compressor:BaseDocumentCompressor.{method}",
            _work.reranking,
            subclasses=True,
            since="0.2.5",
        )
        for method in ("compress_documents", "acompress_documents")
    ),
)
_STORES: Final = tuple(
    Patch(f"langgraph.store.base:BaseStore.{prefix}{method}", start, overrides=True, since="0.2.40")
    for method, start in (
        *(("get", _work.get_item), ("search", _work.search_items)),
        *(("put", _work.put_item), ("delete", _work.delete_item)),
    )
    for prefix in ("", "a")
)
_OUTSIDE: Final = (
    *(
        Patch(
            f"{_CORE}.runnables.base:Runnable.{method}",
            _outside.batch,
            overrides=True,
            since="0.1.33" if method.endswith("completed") else None,
        )
        for method in ("batch", "abatch", "batch_as_completed", "abatch_as_completed")
    ),
    *(
        Patch(
            f"{_CORE}.runnables.history:RunnableWithMessageHistory.{method}",
            within(_conversations.conversation_context),
        )
        for method in ("invoke", "ainvoke", *_STREAMS, "astream_events", "transform", "atransform")
    ),
    *(
        Patch(f"{model}.{method}", _outside.generation)
        for model in (_CHAT, _COMPLETION)
        for method in ("generate", "agenerate")
    ),
    *(
        Patch(
            f"langgraph.pregel.remote:RemoteGraph.{method}", _outside.remote_graph, since="0.2.45"
        )
        for method in ("stream", "astream")
    ),
    Patch(
        "langsmith.run_helpers:_maybe_create_otel_context",
        instead(_outside.langsmith_span),
        since="0.4.2",
    ),
    Patch(
        "langsmith._internal.otel._otel_exporter:OTELExporter.export_batch",
        instead(_outside.langsmith_export),
        since="0.3.18",
    ),
)

ROWS: Final[tuple[Row, ...]] = (
    Registration(f"{_CORE}.tracers.context", _register),
    Patch(f"{_CORE}.callbacks.manager:handle_event", _Directly()),
    Patch(f"{_CORE}.callbacks.manager:ahandle_event", _Directly()),
    *(*_CONTEXTS, *_TOOLS, *_FIRST_CONTEXTS),
    *(_OLD_CONTEXTS if sys.version_info < (3, 11) else ()),
    *(
        *_GRAPHS,
        *_COMPOSITES,
        *_LEGACY,
        *_MODELS,
        *_EVENTS,
        *_LABELS,
        *_SEARCHES,
        *_STORES,
        *_OUTSIDE,
    ),
)
