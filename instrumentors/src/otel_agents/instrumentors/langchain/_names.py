"""Names, tags and metadata of runs: which are the application's, and which object a run is of."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import Operation
from otel_agents.instrumentors._core.tables import Bounded
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping, listed

__all__ = [
    "LABELS",
    "Announcements",
    "Labels",
    "given_name",
    "labelled",
    "labelled_by",
    "labels_of",
    "labels_of_config",
    "with_labels",
]

_Subject = TypeVar("_Subject")

_UNNAMED: Final = "LangGraph"
"""The name of a graph that was given none."""

_OWN_TAGS: Final = re.compile(
    r"(seq:step|graph:step|map:key|retry:attempt|condition|branch|langsmith):|nostream$|retriever_\d"
)
"""Tags that LangChain, LangGraph and LangSmith set or read themselves."""
_OWN_METADATA: Final = re.compile(
    r"(langgraph_|langsmith|ls_|lc_|checkpoint|__)"
    r"|(thread_id|thread_ts|session_id|task_id|run_id|run_attempt|assistant_id|graph_id|revision_id)$"
)
"""Metadata that they set themselves, and what is the id of the conversation."""
_SECRETS: Final = re.compile(
    r"(^|[-_.])(api_?keys?|keys?|tokens?|secrets?|passwords?|auth|authorization|credentials?)$",
    re.IGNORECASE,
)
"""Metadata that is not content but a secret: early versions copy all settings there."""

_given: Final[Bounded[str, bool]] = Bounded(1024, inherited=True)
"""Whether a name that was looked up is the application's."""


def given_name(name: str | None) -> str | None:
    """Return ``name`` if the application gave it; None for the name of a class of runnables.

    The names of classes have their parts added, as in ``RunnableParallel<a,b>``.
    """
    if not name or name == _UNNAMED:
        return None
    kind = name.partition("<")[0]
    given = _given.get(kind)
    if given is None:
        given = kind not in _class_names()
        _given.put(kind, given)
    return name if given else None


def _class_names() -> set[str]:
    base = getattr(sys.modules.get("langchain_core.runnables.base"), "Runnable", None)
    return {kind.__name__ for kind in _subclasses(base)} if base is not None else set()


def _subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    yield kind
    for subclass in kind.__subclasses__():
        yield from _subclasses(subclass)


@dataclass(frozen=True)
class _Announced(Generic[_Subject]):
    names: tuple[str | None, ...]
    subject: _Subject


class Announcements(Generic[_Subject]):
    """What the runs that start next are: a callback gets a name, and not the object that runs.

    The methods that run a graph, or stream through a composite, announce it; the run of that name
    that starts next in the context is the one.

    Args:
        name: The name of the context variable, for debugging.
        limit: How many wait at most. For 1, the next run is the one or none is: the call was
            refused before its run started. For more, others may start in between, whose output it
            streams.
    """

    def __init__(self, name: str, limit: int = 1) -> None:
        self._limit = limit
        self._waiting: ContextVar[tuple[_Announced[_Subject], ...]] = ContextVar(name, default=())

    def announce(self, subject: _Subject, *names: str | None) -> None:
        """Announce ``subject``, whose run will have one of ``names``."""
        waiting = self._waiting.get() if self._limit > 1 else ()
        self._waiting.set((*waiting[1 - self._limit :], _Announced(names, subject)))

    def __len__(self) -> int:
        """Return how many wait in the current context."""
        return len(self._waiting.get())

    def take(self, name: str | None) -> _Subject | None:
        """Return what was announced last by ``name``, once."""
        waiting = self._waiting.get()
        if not waiting:
            return None
        found = next((one for one in reversed(waiting) if name in one.names), None)
        if found is not None or self._limit == 1:
            self._waiting.set(tuple(one for one in waiting if one is not found)[: self._limit - 1])
        return found.subject if found is not None else None


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Tags and metadata of a run, with those of the runs that called it, which it inherits."""

    tags: Sequence[str]
    metadata: Mapping[str, Any]

    def record(self, content: Content, above: Labels | None) -> None:
        """Set what the application gave this run, and not the one above."""
        if not content.enabled:
            return
        above = above or _NO_LABELS
        tags = [str(tag) for tag in self.tags if tag not in above.tags]
        metadata = {
            str(name): value
            for name, value in self.metadata.items()
            if not _OWN_METADATA.match(str(name))
            and not _SECRETS.search(str(name))
            and not (name in above.metadata and _is_same(value, above.metadata[name]))
        }
        content.tags = [tag for tag in dict.fromkeys(tags) if not _OWN_TAGS.match(tag)] or None
        content.metadata = metadata or None


_NO_LABELS: Final = Labels((), MappingProxyType({}))
LABELS: Final = Slot("langchain-labels", Labels)
"""The labels of the innermost run that has a span."""
_GIVEN: Final = Slot("langchain-given-labels", Labels)
"""The labels of the model call that is about to be made."""


_Begin: TypeAlias = Callable[[Context], Operation | None]


def labelled_by(telemetry: Telemetry, begin: _Begin, details: Mapping[str, Any]) -> _Begin | None:
    """Return what starts the operation of a run, and records what LangChain reports of it."""
    if not telemetry.gate.enabled:
        return begin
    return labelled(begin, details.get("tags"), details.get("metadata"))


def labelled(
    begin: _Begin | None, tags: Sequence[str] | None, metadata: Mapping[str, Any] | None
) -> _Begin | None:
    """Return what starts the operation of a run, and records the labels that are its own."""
    if begin is None or (not tags and not metadata):
        return begin
    labels = Labels(tags or (), metadata or {})

    def started(parent: Context) -> Operation | None:
        operation = begin(parent)
        if operation is not None:
            labels.record(operation.content, LABELS.get(parent))
            operation.context = LABELS.set(labels, operation.context)
        return operation

    return started


def labels_of_config(
    telemetry: Telemetry, call: Call, context: Context | None = None
) -> Context | None:
    """Return the context for ``stream(input, config, …)``, with the labels of the call.

    Most versions pass no run manager to the methods that stream.
    """
    if not telemetry.gate.enabled:
        return context
    config, model = as_mapping(call.argument(1, "config")), call.instance
    tags = [tag for it in (config.get("tags"), model.tags) for tag in listed(it)]
    metadata = {**as_mapping(config.get("metadata")), **as_mapping(model.metadata)}
    return with_labels(telemetry, Labels(tags, metadata), context)


def with_labels(
    telemetry: Telemetry, labels: Labels | None, context: Context | None = None
) -> Context | None:
    """Return ``context`` for a model call with these labels, if they are recorded at all."""
    return _GIVEN.set(labels, context) if telemetry.gate.enabled else context


def labels_of(manager: Any) -> Labels | None:
    """Return the labels of a run of a model, known from its manager or from its caller."""
    if manager is None:
        return _GIVEN.get()
    return Labels(listed(getattr(manager, "tags", None)), as_mapping(manager.metadata))


def _is_same(value: Any, inherited: Any, depth: int = 4) -> bool:
    """Return whether a value is inherited; LangGraph copies those that are dictionaries.

    Those of classes with a comparison of their own are not compared: that may cost, or raise.
    """
    if value is inherited:
        return True
    kind = cast("Any", type(value))
    if kind is type(inherited) and kind in (dict, list) and depth and len(value) == len(inherited):
        pairs = _pairs(value, inherited)
        return all(_is_same(one, other, depth - 1) for one, other in pairs)
    return isinstance(value, (str, int, float)) and bool(value == inherited)


def _pairs(value: Any, inherited: Any) -> Iterable[tuple[Any, Any]]:
    """Return the values of two dictionaries or lists, by their keys."""
    if isinstance(value, dict):
        fields = cast("dict[Any, Any]", value)
        return ((one, inherited.get(name, inherited)) for name, one in fields.items())
    return zip(value, inherited, strict=True)
