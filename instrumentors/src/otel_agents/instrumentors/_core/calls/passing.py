"""A call that is no operation of ours, and at whose end something must be done all the same."""

from __future__ import annotations

from typing import Any

from opentelemetry.context import Context

__all__ = ["Passing"]


class Passing:
    """Runs the call in ``context``, and tells nothing (`calls.Running`); for overriding."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def returned(self, value: Any) -> Any:
        """The call has its result."""
        return value

    def chunk(self, item: Any) -> object:
        """One item of a stream."""
        return None

    def exhausted(self, value: Any) -> None:
        """The stream is at its end."""

    def abandoned(self) -> None:
        """The caller left the stream."""

    def failed(self, error: BaseException) -> None:
        """The call raised."""

    def end(self) -> None:
        """End."""
