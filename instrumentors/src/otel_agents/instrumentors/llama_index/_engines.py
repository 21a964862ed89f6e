"""Query engines, retrievers, rerankers, synthesizers and ingestion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.operations import InvokeWorkflow, Operation, Retrieval, Step
from otel_agents.instrumentors._core.operations.agents import Messages
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping, listed, text
from otel_agents.instrumentors._dialects.parts import text_message
from otel_agents.semconv import attributes as attr

from ._messages import query_text
from ._work import Entered, Work, follow_response, given_class, keep_in_context

if TYPE_CHECKING:
    from llama_index.core.schema import NodeWithScore

__all__ = [
    "indexing",
    "pipeline",
    "query",
    "rerank",
    "retrieve",
    "summary",
    "synthesis",
    "synthesized",
]

_ENGINES: Final = ("chat", "query")
_SURE: Final = 0.75
"""The part of a model's context that as many bytes never exceed, beside a prompt: no tokens count."""
_UNKNOWN: Final = "unknown"
"""The name of an embedding model that has none."""
_TOP_K: Final = ("similarity_top_k", "_similarity_top_k", "top_n")


def query(entered: Entered) -> Work:
    """Start ``BaseQueryEngine.query(str_or_query_bundle)``: a step within another engine."""
    engine, above = entered.instance, entered.above
    given = entered.arguments.get("str_or_query_bundle")
    if above is not None and above.kind in _ENGINES:
        name = _name_within(above.subject, engine) or given_class(engine)

        def begin(parent: Context) -> Operation:
            return Step(entered.telemetry, "query", name, parent=parent)
    else:

        def begin(parent: Context) -> Operation:
            return _TextWorkflow(
                entered.telemetry,
                given_class(engine),
                input=lambda: [text_message("user", query_text(given))],
                output=_output_text,
                parent=parent,
            )

    return Work(entered.span_id, "query", engine, begin, ending=follow_response)


def _name_within(outer: Any, engine: Any) -> str | None:
    """Return the application's name for one of the engines that another one asks."""
    engines: Any = getattr(outer, "_query_engines", None)
    by_name = as_mapping(engines)
    if by_name:
        return next((name for name, one in by_name.items() if one is engine), None)
    names: Sequence[Any] = listed(getattr(outer, "_metadatas", None))
    several = zip(listed(engines), names, strict=False)
    return next((one.name for other, one in several if other is engine), None)


class _TextWorkflow(InvokeWorkflow):
    """A workflow whose result is a text, or a stream of its parts."""

    __slots__ = ("_tokens",)

    def chunk(self, item: Any) -> object:
        """Collect one part of the text."""
        if self.content.enabled:
            if not hasattr(self, "_tokens"):
                self._tokens: list[str] = []
            self._tokens.append(str(getattr(item, "delta", item) or ""))
        return None

    def conclude(self) -> None:
        """Record the text of a stream as far as it was read."""
        if hasattr(self, "_tokens"):
            self.respond("".join(self._tokens))


def _output_text(response: Any) -> Messages:
    """Return the output messages of a query engine."""
    text = str(response) if response is not None else ""
    return [text_message("assistant", text)] if text else None


class _Search(Retrieval):
    """One search for documents."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Record the documents."""
        if self.content.enabled:
            self.content.retrieval_documents = Items(listed(value), _document)


def _document(found: NodeWithScore) -> dict[str, Any]:
    known = {"id": found.node.node_id, "score": found.score}
    return {
        **{name: value for name, value in known.items() if value is not None},
        "content": found.node.get_content(),
    }


def retrieve(entered: Entered) -> Work:
    """Start ``BaseRetriever.retrieve(str_or_query_bundle)``."""
    return _search(entered, "retrieve", entered.arguments.get("str_or_query_bundle"))


def rerank(entered: Entered) -> Work | None:
    """Start ``_postprocess_nodes(nodes, query_bundle)`` of what ranks; others only filter."""
    if "rank" not in type(entered.instance).__name__.lower():
        return None
    return _search(entered, "rerank", entered.arguments.get("query_bundle"))


def _search(entered: Entered, kind: str, given: Any) -> Work:
    def begin(parent: Context) -> Retrieval:
        search = _Search(entered.telemetry, model=_model_of(entered.instance), parent=parent)
        if given is not None and search.content.enabled:
            search.content.retrieval_query = query_text(given)
        top_k = _top_k(entered.instance)
        if top_k is not None:
            search.attributes[attr.GEN_AI_RETRIEVAL_TOP_K] = top_k
        return search

    return Work(entered.span_id, kind, entered.instance, begin)


def _model_of(instance: Any) -> str | None:
    """Return the model that embeds the query of a retriever, or that a reranker has."""
    embedding = getattr(instance, "_embed_model", None)
    name = text(instance, "model") if embedding is None else text(embedding, "model_name")
    return None if name == _UNKNOWN else name


def _top_k(instance: Any) -> int | None:
    values = (getattr(instance, name, None) for name in _TOP_K)
    return next((value for value in values if isinstance(value, int) and value > 0), None)


def pipeline(telemetry: Telemetry, call: Call) -> InvokeWorkflow:
    """Start ``IngestionPipeline.run(…)``; a pipeline has a default name."""
    from llama_index.core.constants import DEFAULT_PIPELINE_NAME

    name = call.instance.name
    return InvokeWorkflow(telemetry, None if name == DEFAULT_PIPELINE_NAME else name)


def indexing(telemetry: Telemetry, call: Call) -> Step:
    """Start ``BaseIndex.from_documents(documents)``, which embeds them in batches."""
    return Step(telemetry, "ingest")


def synthesis(telemetry: Telemetry, call: Call) -> Step | None:
    """Start ``get_response(query_str, text_chunks, …)`` of what calls a model for each chunk."""
    chunks: Sequence[Any] = listed(call.argument(1, "text_chunks"))
    return Step(telemetry, "synthesize", count=len(chunks)) if len(chunks) > 1 else None


def summary(telemetry: Telemetry, call: Call) -> Step | None:
    """Start ``TreeSummarize.get_response(query_str, text_chunks, …)``, unless one call suffices."""
    chunks: Sequence[str] = listed(call.argument(1, "text_chunks"))
    return None if _is_one_call(call, chunks) else synthesis(telemetry, call)


def _is_one_call(call: Call, chunks: Sequence[str]) -> bool:
    """Return whether the chunks fit in one call, into which it repacks them."""
    helper = call.instance._prompt_helper
    length = sum(len(chunk.encode()) for chunk in chunks)
    if length < (helper.context_window - helper.num_output) * _SURE:
        return True
    template = call.instance._summary_template
    prompt = template.partial_format(query_str=call.argument(0, "query_str"))
    return len(helper.repack(prompt, text_chunks=chunks)) == 1


def synthesized(telemetry: Telemetry, call: Call, response: Any) -> Any:
    """Return the response of ``BaseSynthesizer.synthesize(query, nodes)``.

    Its stream calls the model when it is read, which may be after the step of a workflow that
    returned it.
    """
    keep_in_context(response, "response_gen")
    return response
