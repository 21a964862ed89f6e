"""Transparent proxies for the caller's objects."""

from __future__ import annotations

import copy
import copyreg
import sys
from typing import Any, ClassVar, SupportsIndex, cast

from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

__all__ = ["Proxy", "SoleReference"]


class Proxy:
    """Replaces an object and has its class, attributes and representation."""

    __slots__ = ("__weakref__", "_otel_wrapped")
    _otel_wrapped: Any

    def __init__(self, wrapped: Any) -> None:
        object.__setattr__(self, "_otel_wrapped", wrapped)

    @property
    def __class__(self) -> type[Any]:
        return cast(Any, type(self._otel_wrapped))

    @__class__.setter
    def __class__(self, value: type[Any]) -> None:
        self._otel_wrapped.__class__ = value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._otel_wrapped, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._otel_wrapped, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._otel_wrapped, name)

    def __dir__(self) -> list[str]:
        return dir(self._otel_wrapped)

    def __repr__(self) -> str:
        return repr(self._otel_wrapped)

    # A copy or pickle is one of the object itself: nobody records what is read of it.

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        reduce = copyreg.dispatch_table.get(cast(Any, type(self._otel_wrapped)))
        if reduce is not None:
            return reduce(self._otel_wrapped)
        return self._otel_wrapped.__reduce_ex__(protocol)

    def __copy__(self) -> Any:
        return copy.copy(self._otel_wrapped)


class SoleReference:
    """Counts the references that an object has in its destructor if nobody else holds it."""

    references: ClassVar[int] = 0

    def __del__(self) -> None:
        SoleReference.references = sys.getrefcount(self)


SoleReference()


hide_frames(globals())
