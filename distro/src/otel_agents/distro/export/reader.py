"""The metric reader that collects and sends on our worker thread."""

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
from otel_agents.instrumentors.hosting import call_foreign, guarded

__all__ = ["DeliveringMetricReader"]

_INTERVAL: Final = "OTEL_METRIC_EXPORT_INTERVAL"
_MAX_INTERVAL: Final = 3600.0


class DeliveringMetricReader(PeriodicExportingMetricReader):
    """The SDK's periodic reader on our worker in place of its own thread.

    Under gevent or eventlet the SDK's thread would be a greenlet, or wait on a greenlet lock.
    A flush waits for the worker with a timeout, never for the lock that is held while it sends.
    """

    def __init__(self) -> None:
        self._collect_interval = _seconds(DESTINATION.get().environment)
        super().__init__(DeferredMetricExporter(), math.inf)
        self._worker = Worker(
            "otel-agents-metrics", min(self._collect_interval, _MAX_INTERVAL), self._collect_due
        )
        if self._collect_interval < math.inf:
            self._worker.keep_running()

    @guarded("flushing metrics", False)
    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Collect and send. Return whether that was done in time."""
        return self._run_on_worker(super().force_flush, timeout_millis)

    @guarded("ending the metrics")
    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Collect and send one last time."""
        began = time.monotonic()
        if not self._shutdown:
            self._run_on_worker(self.collect, timeout_millis)
        used = (time.monotonic() - began) * 1000
        left = max(timeout_millis - used, 0)
        super().shutdown(left, **kwargs)  # pyright: ignore[reportUnknownMemberType]

    def _run_on_worker(self, work: Callable[[float], object], timeout_millis: float) -> bool:
        deadline = time.monotonic() + timeout_millis / 1000
        return self._worker.submit(partial(work, timeout_millis)).wait(deadline)

    def _collect_due(self) -> float:
        if not self._shutdown:
            collect = partial(self.collect, self._export_timeout_millis)
            call_foreign("collecting metrics", collect, None, everything=True)
        return self._collect_interval


def _seconds(environment: Environment) -> float:
    """Return the seconds between collections; an invalid value was already logged and hidden."""
    given = environment.text(_INTERVAL)
    return (60_000 if given is None else float(given.value)) / 1000
