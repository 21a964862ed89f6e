"""The callback handler that LangChain calls for every run; it attaches no context."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from types import ModuleType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from langchain_core.callbacks.base import BaseCallbackHandler

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.callbacks import guarded
from otel_agents.instrumentors._core.operations import Operation
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from . import _chains, _work
from ._names import labelled
from ._runs import RUNS, fail, key_of

if TYPE_CHECKING:
    from langchain_core.documents import Document

__all__ = ["RunHandler", "register"]


class RunHandler(BaseCallbackHandler):
    """Starts and ends the operation of each run.

    The application finds it in ``config["callbacks"]`` of a node, and may copy or pickle that: a
    copy is the same object, since LangChain adds a handler once, and an unpickled one does nothing.

    Args:
        telemetry: What to emit with; None for a handler that is not registered.
    """

    run_inline = True
    """Whether it is called on the thread and in the order of the run, also by async code."""

    def __init__(self, telemetry: Telemetry | None = None) -> None:
        super().__init__()
        self.telemetry = telemetry

    def __copy__(self) -> RunHandler:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> RunHandler:
        return self

    def __reduce__(self) -> tuple[type[RunHandler], tuple[()]]:
        return (RunHandler, ())

    @property
    def ignore_llm(self) -> bool:
        """Whether models are ignored: they would call it for each token, and claims report them."""
        return True

    @property
    def ignore_chat_model(self) -> bool:
        """Whether chat models are ignored."""
        return True

    @property
    def ignore_retry(self) -> bool:
        """Whether retries are ignored."""
        return True

    @property
    def ignore_custom_event(self) -> bool:
        """Whether the application's own events are ignored."""
        return True

    @guarded("starting a chain")
    def on_chain_start(
        self,
        serialized: dict[str, Any] | None,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Start a graph, a node, a chain or a part of one."""
        if self.telemetry is None:
            return
        name = kwargs.get("name") or _chains.serialized_name(serialized)
        run = _chains.ChainStart(
            key_of(run_id),
            key_of(parent_run_id),
            name,
            inputs,
            tags or (),
            metadata or {},
            composite="run_type" not in kwargs,
        )
        _chains.start(self.telemetry, run)

    @errors.guarded("ending a chain")
    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """End it with its result."""
        _end(run_id, outputs)

    @errors.guarded("ending a chain")
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """End it with what it raised."""
        fail(key_of(run_id), error)

    @guarded("starting a tool")
    def on_tool_start(
        self,
        serialized: dict[str, Any] | None,
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Start a tool."""
        if self.telemetry is not None:
            name = _chains.serialized_name(serialized) or kwargs.get("name")
            begin = _work.tool(
                self.telemetry, str(name), input_str if inputs is None else inputs, kwargs
            )
            if self.telemetry.gate.enabled:
                begin = labelled(begin, kwargs.get("tags"), kwargs.get("metadata"))
            key, parent = key_of(run_id), key_of(parent_run_id)
            RUNS.start(key, parent, begin, facts=_chains.in_tool(key, parent))

    @errors.guarded("ending a tool")
    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """End it with its result."""
        _end(run_id, output)

    @errors.guarded("ending a tool")
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """End it with what it raised."""
        fail(key_of(run_id), error)

    @guarded("starting a retriever")
    def on_retriever_start(
        self,
        serialized: dict[str, Any] | None,
        query: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> None:
        """Start a retriever."""
        if self.telemetry is not None:
            name = kwargs.get("name") or _chains.serialized_name(serialized)
            begin = _work.retriever(self.telemetry, query, name)
            if self.telemetry.gate.enabled:
                begin = labelled(begin, kwargs.get("tags"), kwargs.get("metadata"))
            RUNS.start(key_of(run_id), key_of(parent_run_id), begin)

    @errors.guarded("ending a retriever")
    def on_retriever_end(
        self, documents: Sequence[Document], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """End it with its documents."""
        _end(run_id, documents)

    @errors.guarded("ending a retriever")
    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """End it with what it raised."""
        fail(key_of(run_id), error)


def _end(run_id: UUID, result: Any) -> None:
    def report(operation: Operation) -> None:
        operation.returned(result)

    RUNS.end(key_of(run_id), report)


def register(telemetry: Telemetry, module: ModuleType) -> Callable[[], None]:
    """Register a handler with every callback manager that is configured from here on.

    LangChain has no function to unregister one: its hook is removed from the list, and managers
    that have the handler already keep one that does nothing.
    """
    handler = RunHandler(telemetry)
    variable = ContextVar[RunHandler | None]("otel_agents_langchain", default=handler)
    module.register_configure_hook(variable, inheritable=True)

    def undo() -> None:
        handler.telemetry = None
        hooks = module._configure_hooks
        hooks[:] = [hook for hook in hooks if hook[0] is not variable]

    return undo
