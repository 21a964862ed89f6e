"""What a function of this package returns: a decorator, and a context manager.

A block is light: what it needs of the instrumentors is imported when it first records something.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, final

from ._activity import ACTIVITY, carries

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ._entering import Entry

__all__ = [
    "AgentBlock",
    "Block",
    "ContextBlock",
    "CurrentCall",
    "EmbeddingsBlock",
    "HandoffBlock",
    "InferenceBlock",
    "MemoryBlock",
    "ModelBlock",
    "RetrievalBlock",
    "StepBlock",
    "ToolBlock",
    "WorkflowBlock",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Block:
    """One operation of the application: decorate a function with it, or enter it by ``with``.

    Several threads and tasks may be in it at once: then its methods record on the operation of the
    one that calls. Nothing that they do raises.
    """

    __slots__ = ("_entries", "_last", "name", "options")
    kind: ClassVar[str]
    """Which operation it records: a key of `_operations.STARTS`."""

    def __init__(self, name: str | None = None, **options: Any) -> None:
        self.name = name
        self.options = options
        self._entries: list[Entry] = []
        self._last = ""

    @staticmethod
    def active() -> bool:
        """Return whether there is anything to do."""
        return bool(ACTIVITY)

    @final
    def __call__(self, function: _Function) -> _Function:
        from ._decorating import decorated

        return decorated(self, function)

    @final
    def __enter__(self) -> Self:
        if self.active():
            from ._entering import enter

            entry = enter(self)
            if entry is not None:
                self._entries.append(entry)
        return self

    @final
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._entries:
            from ._entering import entry_of, leave

            entry = entry_of(self._entries)
            if entry is not None:
                self._entries.remove(entry)
                self._last = leave(entry, error)

    @final
    async def __aenter__(self) -> Self:
        return self.__enter__()

    @final
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)

    def reference(self) -> str:
        """Return the reference to this operation, by which it may be judged later.

        For a model call, call it after the block: then it has the id of the response as well.
        Empty if nothing is recorded. See `otel_agents.api.reference`.
        """
        if self._entries:
            from ._references import reference_to

            observer = self._observer()
            return "" if observer is None else reference_to(observer)
        return self._last

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.name, self.options)

    def _record(self, what: str, *values: Any) -> None:
        """Record ``values`` by the function ``what`` of `_recording`, if anything is recorded."""
        if self._entries:
            from ._recording import record

            record(self._observer(), what, *values)

    def _observer(self) -> Any:
        """Return what records the operation that the caller is in; None if nothing does."""
        from ._entering import entry_of

        entry = entry_of(self._entries)
        return None if entry is None else entry.observer


def _rebuilt(kind: type[Block], name: str | None, options: dict[str, Any]) -> Block:
    return kind(name, **options)


class ContextBlock(Block):
    """Something that flows with the context: an identity, a content policy."""

    __slots__ = ()
    kind = "context"

    @staticmethod
    def active() -> bool:
        """Return whether anything reads the context."""
        return carries()


class _RunBlock(Block):
    """A workflow or an agent."""

    __slots__ = ()

    def input(self, value: Any) -> None:
        """Record what it was given: a text, a list of messages, or any object. It is content."""
        self._record("input_messages", value)

    def output(self, value: Any) -> None:
        """Record what it returned: a text, a list of messages, or any object. It is content."""
        self._record("output_messages", value)


@final
class WorkflowBlock(_RunBlock):
    """A workflow; see `otel_agents.api.workflow`."""

    __slots__ = ()
    kind = "workflow"


@final
class AgentBlock(_RunBlock):
    """An agent; see `otel_agents.api.agent`."""

    __slots__ = ()
    kind = "agent"


@final
class ToolBlock(Block):
    """A tool; see `otel_agents.api.tool`."""

    __slots__ = ()
    kind = "tool"

    def arguments(self, value: Mapping[str, Any]) -> None:
        """Record the call's arguments. They are content."""
        self._record("tool_arguments", value)

    def result(self, value: Any) -> None:
        """Record the result. It is content."""
        self._record("tool_result", value)


@final
class StepBlock(Block):
    """A step; see `otel_agents.api.step`."""

    __slots__ = ()
    kind = "step"

    def outcome(self, label: str) -> None:
        """Record a label such as ``approved``: low in cardinality, and never content."""
        self._record("outcome", label)


@final
class HandoffBlock(Block):
    """A handoff; see `otel_agents.api.handoff`."""

    __slots__ = ()
    kind = "handoff"


@final
class RetrievalBlock(Block):
    """A retrieval; see `otel_agents.api.retrieval`."""

    __slots__ = ()
    kind = "retrieval"

    def query(self, text: str) -> None:
        """Record the query. It is content."""
        self._record("retrieval_query", text)

    def documents(self, found: Sequence[Any]) -> None:
        """Record what was found: texts, or objects with an ``id`` and a ``score``. It is content."""
        self._record("retrieval_documents", found)


@final
class MemoryBlock(Block):
    """A memory operation; see `otel_agents.api.memory`."""

    __slots__ = ()
    kind = "memory"

    def query(self, text: str) -> None:
        """Record the query. It is content."""
        self._record("memory_query", text)

    def records(self, records: Sequence[Any]) -> None:
        """Record how many records were found or stored, and, as content, the records."""
        self._record("memory_records", records)


class ModelBlock(Block):
    """A model call by the application's own means."""

    __slots__ = ()

    def input(self, value: Any) -> None:
        """Record the prompt: a text, a list of messages, or any object. It is content."""
        self._record("model_input", value)

    def output(self, value: Any) -> None:
        """Record the response's text, messages or object. It is content."""
        self._record("model_output", value)

    def chunk(self) -> None:
        """Record the arrival of a chunk of a stream: the time to the first one is recorded."""
        self._record("model_chunk")

    def usage(
        self,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        *,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        reasoning_tokens: int | None = None,
    ) -> None:
        """Record the tokens as the provider billed them.

        Args:
            input_tokens: All tokens of the input, cached ones included.
            output_tokens: All tokens of the output, reasoning included.
            cache_read_tokens: Those of the input that were read from a cache.
            cache_write_tokens: Those of the input that were written to a cache.
            reasoning_tokens: Those of the output that are reasoning.
        """
        details = (cache_read_tokens, cache_write_tokens, reasoning_tokens)
        self._record("model_usage", input_tokens, output_tokens, details)

    def response(
        self,
        *,
        id: str | None = None,
        model: str | None = None,
        finish_reason: str | Sequence[str] | None = None,
    ) -> None:
        """Record what the response says of itself.

        Args:
            id: The provider's id of the response.
            model: The model that responded.
            finish_reason: Why it stopped, for each choice: ``stop``, ``length``, ``tool_call``, …
        """
        self._record("model_response", id, model, finish_reason)


@final
class InferenceBlock(ModelBlock):
    """An inference; see `otel_agents.api.inference`."""

    __slots__ = ()
    kind = "inference"


@final
class EmbeddingsBlock(ModelBlock):
    """A call that embeds texts; see `otel_agents.api.embeddings`."""

    __slots__ = ()
    kind = "embeddings"


@final
class CurrentCall(ModelBlock):
    """The innermost model call in progress; see `otel_agents.api.current_call`."""

    __slots__ = ()
    kind = "inference"

    def _record(self, what: str, *values: Any) -> None:
        if ACTIVITY:
            from ._models import current_call
            from ._recording import record

            record(current_call(), what, *values)
