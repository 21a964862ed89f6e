"""The traces exporter ``tree``: a trace in the terminal, printed when its root ends.

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
from otel_agents.distro.tree.drawing import ASCII, UNICODE, Paper, draw
from otel_agents.distro.tree.gathering import Gathering, Trunk
from otel_agents.distro.tree.nodes import node_of
from otel_agents.instrumentors.hosting import guarded, renew_after_fork

__all__ = ["TreeExporter"]

_WIDTH: Final = 100


class TreeExporter(SpanExporter):
    """Prints traces as trees.

    Args:
        stream: Where to; default is what ``sys.stderr`` is at that time.
        width: Columns; default is the terminal's, 100 where there is none.
    """

    def __init__(self, stream: TextIO | None = None, width: int | None = None) -> None:
        self._stream = stream
        self._width = width
        self._no_color = Environment().text("NO_COLOR") is not None
        self.renew()
        renew_after_fork(self.renew)

    def renew(self) -> None:
        """In a forked child: what waits for its root is the parent's, and so is the lock."""
        self._gathering = Gathering()
        self._lock = threading.RLock()

    @guarded("drawing a trace", SpanExportResult.FAILURE)
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Keep ``spans`` until their root ends; print what is complete."""
        with self._lock:
            for span in spans:
                self._print(self._gathering.add(node_of(span)))
        return SpanExportResult.SUCCESS

    @guarded("flushing what is drawn", True)
    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Nothing waits that could be printed."""
        return True

    @guarded("drawing what has no end")
    def shutdown(self) -> None:
        """Print what has no end: spans whose root was never finished."""
        with self._lock:
            self._print(self._gathering.rest())

    def _print(self, trunks: Sequence[Trunk]) -> None:
        stream = self._stream or sys.stderr
        if not trunks or stream is None:  # pyright: ignore[reportUnnecessaryComparison]  pythonw has none
            return
        paper = self._paper(stream)
        text = "".join(draw(trunk, paper) for trunk in trunks)
        if paper.strokes is ASCII:  # names and content may still hold what it cannot encode
            text = text.encode("ascii", "replace").decode("ascii")
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):
            return  # the terminal is gone, or closed before us

    def _paper(self, stream: TextIO) -> Paper:
        terminal = stream.isatty()
        width = self._width or (shutil.get_terminal_size((_WIDTH, 24))[0] if terminal else _WIDTH)
        strokes = UNICODE if _can_encode(stream, UNICODE.sample) else ASCII
        return Paper(width, strokes, terminal and not self._no_color)


def _can_encode(stream: TextIO, sample: str) -> bool:
    try:
        sample.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
