"""A ``KeyboardInterrupt`` that nobody caught: the interpreter then ends itself by SIGINT.

It forgets that with any code that is evaluated from text, as many modules do when they are imported,
an exporter's among them. So it is done here at the same point of its end: after every exit
handler, and after the standard outputs were flushed.
"""

from __future__ import annotations

import gc
import os
import signal
import sys

from otel_agents.instrumentors.hosting import guarded

__all__ = ["end_as_interrupted"]


@guarded("ending by an interrupt")
def end_as_interrupted() -> None:
    """Have the process end by SIGINT, when the interpreter collects for the last time.

    Nothing where no ``KeyboardInterrupt`` ends the program.
    """
    if getattr(sys, "last_type", None) is KeyboardInterrupt and not hasattr(sys, "ps1"):
        gc.callbacks.append(_collecting)


@guarded("ending by an interrupt")
def _collecting(phase: str, info: dict[str, int]) -> None:
    if sys.is_finalizing():
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
