"""The reader that collects metrics on a worker of ours, and sends them there."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from otel_agents.distro.environment import Environment
from otel_agents.distro.export.metrics import DESTINATION, DeferredMetricExporter
from otel_agents.distro.export.worker import Worker
from otel_agents.instrumentors.hosting import attempt, guarded

__all__ = ["DeliveringMetricReader"]

_INTERVAL: Final = "OTEL_METRIC_EXPORT_INTERVAL"
_NO_TURN: Final = 3600.0


class DeliveringMetricReader(PeriodicExportingMetricReader):
    """The SDK's, without its thread, which would be a greenlet or wait with what greenlets wait with.

    Whoever flushes waits for the worker, and never for the lock that is held while it sends.
    """

    def __init__(self) -> None:
        self._every = _seconds(DESTINATION.get().environment)
        super().__init__(DeferredMetricExporter(), math.inf)
        self._worker = Worker("otel-agents-metrics", min(self._every, _NO_TURN), self._turn)
        if self._every < math.inf:
            self._worker.keep()

    @guarded("flushing metrics", False)
    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Collect and send; whether that was done in time."""
        return self._work(super().force_flush, timeout_millis)

    @guarded("ending the metrics")
    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Collect and send for the last time."""
        began = time.monotonic()
        if not self._shutdown:
            self._work(self.collect, timeout_millis)
        used = (time.monotonic() - began) * 1000
        left = max(timeout_millis - used, 0)
        super().shutdown(left, **kwargs)  # pyright: ignore[reportUnknownMemberType]

    def _work(self, work: Callable[[float], object], timeout_millis: float) -> bool:
        deadline = time.monotonic() + timeout_millis / 1000
        return self._worker.hand(partial(work, timeout_millis)).wait(deadline)

    def _turn(self) -> float:
        if not self._shutdown:
            collect = partial(self.collect, self._export_timeout_millis)
            attempt("collecting metrics", collect, None, everything=True)
        return self._every


def _seconds(environment: Environment) -> float:
    """Seconds from one collection to the next; what cannot be used was told, and is hidden."""
    given = environment.text(_INTERVAL)
    return (60_000 if given is None else float(given.value)) / 1000
