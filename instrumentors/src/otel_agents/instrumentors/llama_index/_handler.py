"""The handler of the dispatcher's spans. Most of them are not shown.

The dispatcher enters a span in the context of the call, and leaves it there too. What is below
finds its parent in the context: the dispatcher's own parent ids do not survive threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import BoundArguments
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import attach, get_current

from otel_agents.instrumentors._core.calls.callbacks import guarded

from . import _chats, _engines, _tools, _workflows
from ._work import RUNS, Entered, Work, current_work, is_a

try:
    from llama_index_instrumentation.span_handlers import BaseSpanHandler, NullSpanHandler
except ImportError:  # before 0.13 it is part of the core
    from llama_index.core.instrumentation.span_handlers import BaseSpanHandler, NullSpanHandler

if TYPE_CHECKING:
    from llama_index_instrumentation.span.base import BaseSpan

    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

    _Handler = BaseSpanHandler[BaseSpan]
else:
    _Handler = BaseSpanHandler

__all__ = ["RunHandler", "register"]

_TELEMETRY: Final = "otel_agents"
_UUID: Final = 37
"""The characters at the end of a span's id."""


_Start = Callable[[Entered], "Work | None"]

_METHODS: Final[Mapping[str, tuple[tuple[str, _Start], ...]]] = MappingProxyType(
    {
        name: kinds
        for names, kinds in (
            (("query", "aquery"), (("BaseQueryEngine", _engines.query),)),
            (("retrieve", "aretrieve"), (("BaseRetriever", _engines.retrieve),)),
            (
                ("_postprocess_nodes", "_apostprocess_nodes"),
                (("BaseNodePostprocessor", _engines.rerank),),
            ),
            (
                ("chat", "achat", "stream_chat", "astream_chat"),
                (("BaseChatEngine", _chats.chat),),
            ),
            (
                ("write_response_to_history", "awrite_response_to_history"),
                (("StreamingAgentChatResponse", _chats.writing),),
            ),
            (("call", "acall", "__call__"), (("BaseTool", _tools.tool),)),
            (("predict_and_call", "apredict_and_call"), (("LLM", _tools.predict_and_call),)),
            (("run",), (("Workflow", _workflows.run),)),
        )
        for name in names
    }
)
"""The classes whose methods are shown, the method's name first."""


class RunHandler(_Handler):
    """Starts and ends our operations; it keeps no span of its own."""

    @classmethod
    def of(cls, telemetry: Telemetry) -> RunHandler:
        """Make a handler that emits with ``telemetry``."""
        handler = cls()
        handler.emit_with(telemetry)
        return handler

    def emit_with(self, telemetry: Telemetry | None) -> None:
        """Emit with ``telemetry``; None turns it off."""
        object.__setattr__(self, _TELEMETRY, telemetry)  # it is no field of the model

    def new_span(self, *args: Any, **kwargs: Any) -> None:
        """Keep nothing."""

    def prepare_to_exit_span(self, *args: Any, **kwargs: Any) -> None:
        """Keep nothing."""

    def prepare_to_drop_span(self, *args: Any, **kwargs: Any) -> None:
        """Keep nothing."""

    @guarded("starting a span of the dispatcher")
    def span_enter(
        self,
        id_: str,
        bound_args: BoundArguments,
        instance: Any | None = None,
        parent_id: str | None = None,
        tags: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Start the work of a span that is shown, and make its context current."""
        telemetry: Telemetry | None = vars(self).get(_TELEMETRY)
        if telemetry is None:
            return
        above = current_work()
        name = id_[:-_UUID].rpartition(".")[2]
        entered = Entered(telemetry, id_, name, instance, bound_args.arguments, above)
        work = _start(entered)
        if work is not None:
            _begin(work, above)

    @guarded("ending a span of the dispatcher")
    def span_exit(
        self,
        id_: str,
        bound_args: BoundArguments,
        instance: Any | None = None,
        result: Any | None = None,
        **kwargs: Any,
    ) -> None:
        """End it with its result."""
        work = _leave(id_)
        if work is None:
            return
        if work.ending is not None:
            work.ending(work, result)
        else:
            work.end(result)

    @guarded("ending a span of the dispatcher")
    def span_drop(
        self,
        id_: str,
        bound_args: BoundArguments,
        instance: Any | None = None,
        err: BaseException | None = None,
        **kwargs: Any,
    ) -> None:
        """End it with its error."""
        work = _leave(id_)
        if work is None:
            return
        if err is None:
            RUNS.end(id_)
            return
        if work.failing is not None:
            work.failing(work, err)
        RUNS.fail(id_, err)

    def __copy__(self) -> RunHandler:
        return self

    def __deepcopy__(self, memo: Any = None) -> RunHandler:
        return self

    def __reduce__(self) -> Any:
        return NullSpanHandler, ()


def _start(entered: Entered) -> Work | None:
    """Return the work that a span stands for; None if it is not shown.

    A method that calls the same one of the same object, as ``super()`` does, is shown once.
    """
    if entered.instance is None:
        return _workflows.step(entered)
    for kind, begin in _METHODS.get(entered.name, ()):
        if is_a(entered.instance, kind):
            work = begin(entered)
            above = entered.above
            repeated = (
                work is not None
                and above is not None
                and (above.kind == work.kind and above.subject is work.subject)
            )
            return None if repeated else work
    if entered.above is not None and entered.instance is entered.above.subject:
        return _workflows.step(entered)  # before 2.11 it is a method
    return None


def _begin(work: Work, above: Work | None) -> None:
    work.outer = get_current()
    if work.parent is not None:
        attach(work.parent)
    try:
        parent_id = above.span_id if above is not None else None
        context = RUNS.start(work.span_id, parent_id, work.begin, facts=work, atomic=work.atomic)
    except BaseException:
        attach(work.outer)
        raise
    attach(context)


def _leave(span_id: str) -> Work | None:
    """Restore the context from before a span, where its own is current.

    Returns:
        Its work; None if it has ended: the thread that reads a streamed chat ends the chat, and may
        do so before the engine returns.
    """
    innermost = RUNS.innermost(span_id)
    if innermost is not None:
        attach(innermost.facts.outer)
    run = RUNS.find(span_id)
    return run.facts if run is not None else None


def register(telemetry: Telemetry, module: ModuleType) -> Callable[[], None]:
    """Add a handler to the root dispatcher, to which all others pass on.

    The core and the workflows share it: it has our handler after the first of them. There is no
    function to remove a handler.
    """
    root = module.get_dispatcher()
    if any(isinstance(one, RunHandler) for one in root.span_handlers):
        return lambda: None
    handler = RunHandler.of(telemetry)
    root.add_span_handler(handler)

    def undo() -> None:
        handler.emit_with(None)
        root.span_handlers[:] = [one for one in root.span_handlers if one is not handler]

    return undo
