"""What a function of this package returns: a decorator, and a context manager.

A block is light: what it needs of the instrumentors is imported when it first records something.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, final

from ._activity import ACTIVITY

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ._entering import Entry

__all__ = ["Block", "Function", "Server", "applied", "split"]

# A type variable for the whole function keeps more than a ParamSpec does: overloads, and whether it
# is a coroutine function or a generator.
Function = TypeVar("Function", bound=Callable[..., Any])
Server = tuple[str, int]
"""Host and port."""


class Block:
    """One operation of the application: decorate a function with it, or enter it by ``with``.

    Several threads and tasks may be in it at once: then its methods record on the operation of the
    one that calls. Nothing that they do raises.
    """

    __slots__ = ("_entries", "_last", "name", "options")
    kind: ClassVar[str]
    """Which operation it records: a key of `STARTS`."""

    def __init__(self, name: str | None = None, **options: Any) -> None:
        self.name = name
        self.options = options
        self._entries: list[Entry] = []
        self._last: str | None = None

    @staticmethod
    def active() -> bool:
        """Return whether there is anything to do."""
        return bool(ACTIVITY)

    @final
    def __call__(self, function: Function) -> Function:
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
                self._last = leave(self._entries, entry, error)

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

        For a model call, call it after the block: then it has the id of the response as well. After
        the block, it is that to what the caller's thread or task has recorded; elsewhere, to what
        was recorded last. Empty if nothing is recorded. See `otel_agents.api.reference`.
        """
        if self._entries:
            from ._references import reference_to

            observer = self._observer()
            return "" if observer is None else reference_to(observer)
        if self._last is None:
            return ""
        from ._entering import left

        own = left(self._entries)
        return self._last if own is None else own

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.name, self.options)

    def _record(self, what: str, *values: Any) -> None:
        """Record ``values`` by the function ``what`` of `_operations.records`, if anything is recorded."""
        if self._entries:
            from ._operations.records import record

            record(self._observer(), what, *values)

    def _observer(self) -> Any:
        """Return what records the operation that the caller is in; None if nothing does."""
        from ._entering import entry_of

        entry = entry_of(self._entries)
        return None if entry is None else entry.observer


def _rebuilt(kind: type[Block], name: str | None, options: dict[str, Any]) -> Block:
    return kind(name, **options)


def applied(block: Block, function: Any) -> Any:
    """Return ``function`` decorated by ``block``, or the block if there is no function yet."""
    return block if function is None else block(function)


def split(given: object) -> tuple[str | None, object]:
    """Return the name and the function of a first argument that may be either."""
    return (given, None) if given is None or isinstance(given, str) else (None, given)
