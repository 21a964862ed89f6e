"""Ends the process by SIGINT after an uncaught ``KeyboardInterrupt``, as the interpreter does.

The interpreter forgets to if any code is compiled from a string in between, as many modules do on
import, exporters' among them. So it is done here at the same point: after all exit handlers, and
after the standard streams are flushed.
"""

from __future__ import annotations

import gc
import os
import signal
import sys

from otel_agents.instrumentors.hosting import guarded

__all__ = ["end_by_sigint"]


@guarded("ending by an interrupt")
def end_by_sigint() -> None:
    """End the process by SIGINT at the interpreter's last garbage collection.

    Do nothing if the program does not end by a ``KeyboardInterrupt``.
    """
    if getattr(sys, "last_type", None) is KeyboardInterrupt and not hasattr(sys, "ps1"):
        gc.callbacks.append(_collecting)


@guarded("ending by an interrupt")
def _collecting(phase: str, info: dict[str, int]) -> None:
    if sys.is_finalizing():
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
