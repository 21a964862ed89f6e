"""Waits for spans that end in foreign threads."""

from __future__ import annotations

from collections import Counter
from threading import Condition

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

__all__ = ["Ended"]

_SECONDS = 30


class Ended(SpanProcessor):
    """Counts the spans of ``provider`` that end, by their names."""

    def __init__(self, provider: TracerProvider) -> None:
        self._counts: Counter[str] = Counter()
        self._changed = Condition()
        provider.add_span_processor(self)

    def on_end(self, span: ReadableSpan) -> None:
        """Count it; earlier processors have it already."""
        with self._changed:
            self._counts[span.name] += 1
            self._changed.notify_all()

    def wait(self, name: str, number: int = 1) -> None:
        """Return when ``number`` spans of the name have ended.

        Raises:
            TimeoutError: They do not end.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._counts[name] >= number, _SECONDS):
                raise TimeoutError(f"{self._counts[name]} of {number} spans {name!r} ended")
