"""The callback handler that LangChain calls for every run; it attaches no context."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, final
from uuid import UUID

from langchain_core.callbacks.base import BaseCallbackHandler

from otel_agents.instrumentors._core.calls.call import Switch
from otel_agents.instrumentors._core.drivers import Driver, coroutine, plain
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from . import _chains, _work
from ._runs import end, fail, key_of

if TYPE_CHECKING:
    from langchain_core.documents import Document

__all__ = ["RunHandler", "directly", "register"]


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

    if not TYPE_CHECKING:  # LangChain declares a property, whose function it would call each time
        ignore_chain = False

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

    def on_chain_start(
        self, serialized: dict[str, Any] | None, inputs: Any, **details: Any
    ) -> None:
        """Start a graph, a node, a chain or a part of one."""
        _chains.start(self.telemetry, serialized, inputs, details)

    def on_tool_start(
        self, serialized: dict[str, Any] | None, input_str: str, **details: Any
    ) -> None:
        """Start a tool."""
        if self.telemetry is not None:
            _work.start_tool(self.telemetry, serialized, input_str, details)

    def on_retriever_start(
        self, serialized: dict[str, Any] | None, query: str, **details: Any
    ) -> None:
        """Start a retriever."""
        if self.telemetry is not None:
            _work.start_retriever(self.telemetry, serialized, query, details)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **details: Any) -> None:
        """End it with its result."""
        end(run_id, outputs)

    def on_tool_end(self, output: Any, *, run_id: UUID, **details: Any) -> None:
        """End it with its result."""
        end(run_id, output)

    def on_retriever_end(
        self, documents: Sequence[Document], *, run_id: UUID, **details: Any
    ) -> None:
        """End it with its documents."""
        end(run_id, documents)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **details: Any) -> None:
        """End it with what it raised."""
        fail(key_of(run_id), error)

    on_tool_error = on_retriever_error = on_chain_error


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


@final
class _Nothing:
    """An awaitable whose result is None at once."""

    def __await__(self) -> Iterator[None]:
        return iter(())


_NOTHING: Final = _Nothing()
_BEFORE: Final = 3
"""How many arguments of ``handle_event`` come before those of the event."""
_OF_START: Final = _BEFORE + 2
_OF_END: Final = _BEFORE + 1


def directly(function: Callable[..., Any], switch: Switch, bound: bool) -> Callable[..., Any]:
    """Replace ``handle_event(handlers, event, ignored, *args, **kwargs)`` for our handler alone.

    The same for ``ahandle_event``. For each event, LangChain makes two coroutines and a future in
    asynchronous code, and in any code inspects what the handler's method returns. That was a third
    of what a node of an asynchronous graph cost. With a handler of the application the function
    runs as it is, so that their order is LangChain's.
    """
    is_async = inspect.iscoroutinefunction(function)
    nothing = _NOTHING if is_async else None

    def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        handlers: Sequence[object] = args[0] if args and switch.on else ()
        if len(handlers) != 1 or type(handler := handlers[0]) is not RunHandler:
            return function(*args, **kwargs)
        # Chains are most of it: to pass their keyword arguments on twice costs more than the rest.
        if (event := args[1]) == "on_chain_start" and len(args) == _OF_START:
            _chains.start(handler.telemetry, args[3], args[4], kwargs)
        elif event == "on_chain_end" and len(args) == _OF_END:
            end(kwargs.get("run_id"), args[3])
        elif args[2] is None or not getattr(handler, args[2]):
            getattr(handler, event)(*args[_BEFORE:], **kwargs)  # it raises nothing
        return nothing

    driver = Driver(run)
    return coroutine(function, driver) if is_async else plain(function, driver)
