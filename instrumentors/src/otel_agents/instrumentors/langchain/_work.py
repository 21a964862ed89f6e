"""Tools, retrievers and rerankers, and LangGraph's stores; checkpoints are no memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.callbacks import guarded
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.context.scope import scope_of
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.operations import ExecuteTool, Memory, Retrieval
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping, listed, text
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import values
from otel_agents.semconv.values import Operation

from ._content import tool_result
from ._conversations import in_conversation
from ._names import given_name, labelled_by
from ._runs import RUNS, Details, InRun, Node, in_run, key_of, run_above, serialized_name

if TYPE_CHECKING:
    from langchain_core.documents import Document
    from langchain_core.messages import ToolMessage
    from langgraph.store.base import Item

__all__ = [
    "delete_item",
    "get_item",
    "put_item",
    "reranking",
    "running",
    "search_items",
    "searching",
    "start_retriever",
    "start_tool",
]


_ADAPTER: Final = "langchain_mcp_adapters.tools"
_OWN_TOOLS: Final = ("_Exception", "invalid_tool")
"""``AgentExecutor`` runs these when it cannot parse a response, or has no tool of that name."""


class _Tool(ExecuteTool):
    """One call of a tool."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Record the result; a message with the status ``error`` is a handled error."""
        if getattr(value, "status", None) == "error":
            self.mark_failed(values.MCP_TOOL_ERROR)
        super().respond(value)


@guarded("starting a tool")
def start_tool(
    telemetry: Telemetry, serialized: Mapping[str, Any] | None, text: str, details: Details
) -> None:
    """Start a tool; an executor's own, which hand back an error, are not shown.

    What it calls is the application's, also in an agent. Older versions report no id of the call,
    and its arguments only as ``text``.
    """
    name = str(serialized_name(serialized) or details.get("name"))
    call_id, arguments = details.get("tool_call_id"), details.get("inputs")
    run_id, parent_id = key_of(details["run_id"]), key_of(details.get("parent_run_id"))
    above = run_above(parent_id)
    below = parent_id is not None or above is not None

    def begin(parent: Context) -> ExecuteTool:
        within = parent if below else in_conversation(None, details.get("metadata") or {}, parent)
        return _Tool(
            telemetry,
            name,
            call_id=call_id if isinstance(call_id, str) else None,
            arguments=text if arguments is None else arguments,
            result=_result,
            parent=within,
        )

    node: Node | None = above.facts if above is not None else None
    own = replace(node, run_id=run_id, name=None, internal=False) if node is not None else None
    shown = labelled_by(telemetry, begin, details) if name not in _OWN_TOOLS else None
    RUNS.start(run_id, parent_id, shown, facts=own)


def _result(value: ToolMessage | Any) -> Any:
    """Return what a tool returned: the content of the message that LangChain makes of it."""
    return tool_result(value.content if hasattr(value, "tool_call_id") else value)


def running(telemetry: Telemetry, call: Call) -> Observation | None:
    """Run ``BaseTool._run(*args, run_manager, **kwargs)`` in its run, also where it is cancelled."""
    run = (
        RUNS.find(key_of(getattr(call.kwargs.get("run_manager"), "run_id", None))) or RUNS.current()
    )
    if run is None or not isinstance(run.operation, ExecuteTool):
        return None
    scope = scope_of(run.operation.context).tool
    if scope is not None:
        scope.remote_name = _remote_name(call.instance)
    return in_run(run)


def _remote_name(tool: Any) -> str | None:
    """Return the name that an MCP server gave a tool; the adapter's own may have a prefix."""
    function: Any = getattr(tool, "coroutine", None)
    if getattr(function, "__module__", None) != _ADAPTER:
        return None
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
    names = (text(cell.cell_contents, "name") for name, cell in cells if name == "tool")
    return next(names, None)


class _Search(InRun, Retrieval):
    """One search for documents."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Record the documents."""
        if self.content.enabled:
            self.content.retrieval_documents = Items(listed(value), _document)


def _document(document: Document) -> dict[str, Any]:
    known = {"id": getattr(document, "id", None), "score": document.metadata.get("relevance_score")}
    return {
        **{name: value for name, value in known.items() if value is not None},
        "content": document.page_content,
    }


@guarded("starting a retriever")
def start_retriever(
    telemetry: Telemetry, serialized: Mapping[str, Any] | None, query: str, details: Details
) -> None:
    """Start a retriever; its name may be that of its class."""
    name = details.get("name") or serialized_name(serialized)

    def begin(parent: Context) -> Retrieval:
        search = _Search(telemetry, data_source=given_name(name), parent=parent)
        search.content.retrieval_query = query
        return search

    shown = labelled_by(telemetry, begin, details)
    RUNS.start(key_of(details["run_id"]), key_of(details.get("parent_run_id")), shown)


def searching(telemetry: Telemetry, call: Call) -> Observation | None:
    """Run ``_get_relevant_documents(query, *, run_manager)`` in its run, and read its settings."""
    run = RUNS.find(key_of(getattr(call.kwargs.get("run_manager"), "run_id", None)))
    if run is None:
        return None
    top_k = as_mapping(getattr(call.instance, "search_kwargs", None)).get("k")
    if run.operation is not None and isinstance(top_k, int):
        run.operation.attributes[attr.GEN_AI_RETRIEVAL_TOP_K] = top_k
    return in_run(run)


def reranking(telemetry: Telemetry, call: Call) -> Retrieval:
    """Start at ``BaseDocumentCompressor.compress_documents(documents, query, callbacks)``."""
    documents: Sequence[Document] | None = call.argument(0, "documents")
    search = _Search(telemetry, data_source=None)
    search.content.retrieval_query = call.argument(1, "query")
    top_k = getattr(call.instance, "top_n", None)
    if isinstance(top_k, int) and documents:
        search.attributes[attr.GEN_AI_RETRIEVAL_TOP_K] = top_k
    return search


class _Change(InRun, Memory):
    """A change of one item."""

    __slots__ = ()


class _LookUp(InRun, Memory):
    """A look-up of one item, or a search for several."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Count and keep the items."""
        single = hasattr(value, "key")
        self.record([value] if single else listed(value), _record)


def _record(item: Item) -> dict[str, Any]:
    score = getattr(item, "score", None)
    record = {"id": item.key, "content": item.value}
    return record if score is None else {**record, "score": score}


def search_items(telemetry: Telemetry, call: Call) -> Memory:
    """Start ``BaseStore.search(namespace, *, query, …)``."""
    operation = _LookUp(telemetry, Operation.SEARCH_MEMORY)
    operation.content.memory_query = call.kwargs.get("query")
    return operation


def get_item(telemetry: Telemetry, call: Call) -> Memory:
    """Start ``BaseStore.get(namespace, key, …)``."""
    return _of_item(_LookUp(telemetry, Operation.SEARCH_MEMORY), call)


def put_item(telemetry: Telemetry, call: Call) -> Memory:
    """Start ``BaseStore.put(namespace, key, value, …)``."""
    key, value = call.argument(1, "key"), call.argument(2, "value")
    operation = _of_item(_Change(telemetry, Operation.UPSERT_MEMORY), call)
    operation.record([value], lambda content: {"id": key, "content": content})
    return operation


def delete_item(telemetry: Telemetry, call: Call) -> Memory:
    """Start ``BaseStore.delete(namespace, key)``."""
    return _of_item(_Change(telemetry, Operation.DELETE_MEMORY), call)


def _of_item(operation: Memory, call: Call) -> Memory:
    """Set the id of the one item that a call is about; its namespace may name a person."""
    operation.attributes[attr.GEN_AI_MEMORY_RECORD_ID] = str(call.argument(1, "key"))
    return operation
