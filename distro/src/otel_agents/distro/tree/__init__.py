"""The traces exporter ``tree``: prints a trace in the terminal when its root span ends.

OTEL_TRACES_EXPORTER=tree opentelemetry-instrument python app.py
"""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Sequence
from typing import Final, TextIO

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_agents.distro.environment import Environment
from otel_agents.distro.tree.buffer import Subtree, TraceBuffer
from otel_agents.distro.tree.drawing import ASCII, UNICODE, Canvas, draw
from otel_agents.distro.tree.nodes import node_of
from otel_agents.instrumentors.hosting import guarded, renew_after_fork

__all__ = ["TreeExporter"]

_WIDTH: Final = 100


class TreeExporter(SpanExporter):
    """Prints traces as trees.

        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(TreeExporter(width=80)))
        with provider.get_tracer("example").start_as_current_span("run"):
            ...  # run the instrumented library
        provider.shutdown()

    Args:
        stream: The output; default is ``sys.stderr`` at the time of printing.
        width: Columns; default is the terminal's width, or 100 without a terminal.
    """

    def __init__(self, stream: TextIO | None = None, width: int | None = None) -> None:
        self._stream = stream
        self._width = width
        self._no_color = Environment().text("NO_COLOR") is not None
        self.renew()
        renew_after_fork(self.renew)

    def renew(self) -> None:
        """Drop what is buffered, and renew the lock: in a forked child both are the parent's."""
        self._buffer = TraceBuffer()
        self._lock = threading.RLock()

    @guarded("drawing a trace", SpanExportResult.FAILURE)
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Keep ``spans`` until their root ends; print what is complete."""
        with self._lock:
            for span in spans:
                self._print(self._buffer.add(node_of(span)))
        return SpanExportResult.SUCCESS

    @guarded("flushing drawn traces", True)
    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Do nothing: only unfinished traces wait."""
        return True

    @guarded("drawing unfinished traces")
    def shutdown(self) -> None:
        """Print the spans whose root has not ended."""
        with self._lock:
            self._print(self._buffer.rest())

    def _print(self, subtrees: Sequence[Subtree]) -> None:
        stream = self._stream or sys.stderr
        if not subtrees or stream is None:  # pyright: ignore[reportUnnecessaryComparison]  pythonw has none
            return
        canvas = self._canvas(stream)
        text = "".join(draw(subtree, canvas) for subtree in subtrees)
        if (
            canvas.characters is ASCII
        ):  # names and content may hold characters that it cannot encode
            text = text.encode("ascii", "replace").decode("ascii")
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):
            return  # the terminal is gone, or closed before us

    def _canvas(self, stream: TextIO) -> Canvas:
        terminal = stream.isatty()
        width = self._width or (shutil.get_terminal_size((_WIDTH, 24))[0] if terminal else _WIDTH)
        characters = UNICODE if _can_encode(stream, UNICODE.sample) else ASCII
        return Canvas(width, characters, terminal and not self._no_color)


def _can_encode(stream: TextIO, sample: str) -> bool:
    try:
        sample.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
