"""The end of a process: the three signals are shut down in parallel, under one deadline.

It covers a normal exit, a signal, and the end of a forked child; a process that is frozen between
events is flushed before.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider

from otel_agents.distro.ending.children import Children, was_forked
from otel_agents.distro.ending.freezing import FlushAtRoot, is_frozen
from otel_agents.distro.ending.inherited import (
    detect_without_threads,
    has_measurements,
    instance_id,
    renew_locks,
    reset_metrics,
    restart_readers,
    use_system_locks,
)
from otel_agents.distro.ending.keyboard import end_by_sigint
from otel_agents.distro.ending.open_spans import OpenSpans
from otel_agents.distro.ending.termination import DefaultAction
from otel_agents.distro.environment import SignalName
from otel_agents.distro.export.delivery import Delivery
from otel_agents.distro.export.pipeline import Pipeline
from otel_agents.distro.export.worker import Job, Worker
from otel_agents.instrumentors.hosting import (
    call_foreign,
    drain_streams,
    guarded,
    inherits_telemetry,
    notice_fork,
    operations_in_progress,
    renew_after_fork,
    system,
)

__all__ = ["Lifecycle", "current", "install"]

_IDLE: Final = 3600.0
_OTHER_THREADS: Final = 0.05
"""Seconds for other threads that were ending a span when the signal came."""

_current: Lifecycle | None = None


class Lifecycle:
    """Shuts the three signals down, once.

    It starts no thread: since Python 3.12 none can be started while the interpreter exits
    (https://github.com/python/cpython/issues/113964). Spans and log records have threads; the
    calling thread shuts metrics down meanwhile.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._providers: tuple[Any, Any, Any] = (
            trace.get_tracer_provider(),
            metrics.get_meter_provider(),
            get_logger_provider(),
        )
        self._fallback = Worker("otel-agents-exit", _IDLE, lambda: _IDLE)
        settings = pipeline.settings
        self._signal_timeout = min(settings.exit_timeout, settings.signal_timeout)
        self._action = DefaultAction(
            self.interrupt, self.interrupt_and_continue, self._signal_timeout
        )
        self._children = Children(self, settings.exit_timeout)
        self.open_spans = OpenSpans()
        self.renew()

    def start_fallback_thread(self) -> None:
        """Start a thread for providers whose processors are not ours and may block."""
        self._fallback.keep_running()

    def register(self, *, child: bool, signals: bool) -> None:
        """Shut down at exit, instead of the providers' handlers, which run one after another."""
        for provider in self._providers:
            ending = getattr(provider, "shutdown", None)
            if ending is not None:
                atexit.unregister(ending)
        self._add_span_processors()
        self._instance = instance_id(self._providers[1])
        use_system_locks(*self._providers)
        renew_after_fork(self._start_in_child)
        detect_without_threads()
        renew_after_fork(self._restart_unhooked, unhooked=True)
        for handler in (
            end_by_sigint,
            self._action.withdraw,
            self.shutdown,
            self._action.terminate,
        ):
            atexit.register(handler)  # atexit runs the last one first
        self._children.install()
        if child:
            self._children.start_in_child()
        if signals and self.pipeline.settings.signals:
            self._action.install()

    def _start_in_child(self) -> None:
        self.renew()
        renew_locks(*self._providers)
        if not inherits_telemetry():
            reset_metrics(self._providers[1], self._instance)

    def _restart_unhooked(self) -> None:
        restart_readers(self._providers[1])

    @property
    def pending(self) -> bool:
        """Whether this process has recorded anything that its end would drop."""
        if self._ended.is_set():
            return False
        waiting = any(delivery.waiting for delivery in self._deliveries())
        open_ones = len(self.open_spans) or any(True for _ in operations_in_progress())
        return bool(waiting or open_ones) or has_measurements(self._providers[1])

    def renew(self) -> None:
        """Reset in a forked child, which has an end of its own."""
        self._ending = system.Lock()
        self._ending_thread: int | None = None
        self._ended = system.Flag()

    def _add_span_processors(self) -> None:
        """Add ours after the deliveries' processors: a span that is not open is queued already."""
        add = getattr(self._providers[0], "add_span_processor", None)
        if add is None:  # an API-only provider has no spans
            return
        add(self.open_spans)
        if is_frozen(self.pipeline.environment):
            add(FlushAtRoot(self.flush, self.pipeline.settings.exit_timeout))

    def flush(self, timeout: float) -> bool:
        """Send all that has ended, within ``timeout`` seconds. Return whether all was sent."""
        deadline = time.monotonic() + timeout
        drained = _drain(deadline)
        tracers, meters, loggers = self._providers
        # Our deliveries first: another processor may raise before the provider reaches them. Once
        # all is sent, the provider's flush finds them empty.
        jobs = [delivery.submit(_flushing(delivery, deadline)) for delivery in self._deliveries()]
        jobs.append(self._submit("traces", lambda: _flush("traces", tracers, deadline)))
        jobs.append(self._submit("logs", lambda: _flush("logs", loggers, deadline)))
        done = _flush("metrics", meters, deadline) and drained
        waited = [job.wait(deadline) for job in jobs]
        return done and all(waited) and not any(item.waiting for item in self._deliveries())

    @guarded("ending the process")
    def shutdown(self, timeout: float | None = None) -> None:
        """Deliver what is queued and shut all signals down; a second call waits for the first.

        Args:
            timeout: Seconds for all together; default is ``OTEL_AGENTS_EXIT_TIMEOUT``.
        """
        notice_fork()
        if timeout is None:
            timeout = self.pipeline.settings.exit_timeout
        deadline = time.monotonic() + timeout
        if self._ending.acquire(blocking=False):
            self._ending_thread = threading.get_ident()
            try:
                if not self._shutdown(deadline):
                    self._end_providers()
            finally:
                self._ended.set()
        elif (
            self._ending_thread != threading.get_ident()
        ):  # else a signal handler interrupted the first call
            self._ended.wait(timeout)

    def interrupt(self) -> None:
        """End the open spans as interrupted and shut down; the application may still run."""
        deadline = time.monotonic() + self._signal_timeout
        self._interrupt(deadline)
        self.shutdown(max(deadline - time.monotonic(), 0))

    def interrupt_and_continue(self) -> None:
        """End the open spans as interrupted and flush; later telemetry is sent too."""
        deadline = time.monotonic() + self._signal_timeout
        self._interrupt(deadline)
        self.flush(max(deadline - time.monotonic(), 0))

    @guarded("ending open spans")
    def _interrupt(self, deadline: float) -> None:
        self.open_spans.interrupt()
        others = min(deadline, time.monotonic() + _OTHER_THREADS)
        system.wait_until(lambda: not len(self.open_spans), others - time.monotonic())

    @guarded("ending the process", False)
    def _shutdown(self, deadline: float) -> bool:
        for status in self.pipeline.endpoints:
            status.quiet = True
        _drain(deadline)
        self.open_spans.end_at_exit()
        self._end_all(deadline)
        for status in self.pipeline.endpoints:
            status.log_undelivered()
        return True

    def _end_providers(self) -> None:
        """Shut the providers down one by one, as they do themselves: our own shutdown failed."""
        for provider in self._providers:
            end = getattr(provider, "shutdown", _nothing)
            call_foreign("ending a provider", end, None, everything=True)

    def _end_all(self, deadline: float) -> None:
        tracers, meters, loggers = self._providers
        for exporter in self.pipeline.metric_exporters:
            exporter.deadline = deadline
        jobs = [delivery.submit(_closing(delivery, deadline)) for delivery in self._deliveries()]
        jobs.append(self._submit("traces", lambda: _end("traces", tracers)))
        jobs.append(self._submit("logs", lambda: _end("logs", loggers)))
        ended = _end("metrics", meters, max(_left(deadline), 100))
        for job in jobs:
            job.wait(deadline)
        self._drop_undelivered(ended and time.monotonic() < deadline)

    def _drop_undelivered(self, metrics_ended: bool) -> None:
        for delivery in self._deliveries():
            dropped = delivery.drop_all()
            if dropped:
                delivery.status.undelivered[delivery.items] += dropped
        for exporter in self.pipeline.metric_exporters:
            if not metrics_ended and exporter.sending:
                exporter.status.undelivered_metrics = True

    def _deliveries(self) -> list[Delivery[Any]]:
        return [item for items in self.pipeline.deliveries.values() for item in items]

    def _submit(self, signal: SignalName, work: Callable[[], object]) -> Job:
        """Run ``work`` on a thread of the signal, or on the fallback thread."""
        for delivery in self.pipeline.deliveries[signal]:
            return delivery.submit(work)
        return self._fallback.submit(work)


def current() -> Lifecycle | None:
    """Return the lifecycle of this process, None before it is set up."""
    return _current


def install(pipeline: Pipeline, *, child: bool, signals: bool) -> Lifecycle:
    """Install the lifecycle of this process.

    Args:
        pipeline: What to shut down.
        child: Whether a library started this process as a worker of another.
        signals: Whether this process may handle signals itself (uWSGI does that).
    """
    global _current
    _current = Lifecycle(pipeline)
    _current.register(child=child or was_forked(), signals=signals)
    return _current


def _left(deadline: float) -> int:
    """Return the milliseconds left."""
    return int(max(deadline - time.monotonic(), 0) * 1000)


@guarded("finalizing streams", False)
def _drain(deadline: float) -> bool:
    """Finalize unreferenced streams in half the time. Return whether all are finalized."""
    return drain_streams(_left(deadline) / 1000 / 2)


def _flushing(delivery: Delivery[Any], deadline: float) -> Callable[[], object]:
    return lambda: delivery.flush(_left(deadline) / 1000)


def _closing(delivery: Delivery[Any], deadline: float) -> Callable[[], None]:
    return lambda: delivery.close(deadline)


@guarded("flushing", False)
def _flush(signal: SignalName, provider: Any, deadline: float) -> bool:
    """Flush ``provider`` and return whether it did; third-party code in it may raise anything."""
    flush = getattr(provider, "force_flush", _nothing)  # an API-only provider has no such method
    action = f"flushing {signal}"
    return call_foreign(action, lambda: flush(_left(deadline)) is not False, False, everything=True)


@guarded("ending the process", False)
def _end(signal: SignalName, provider: Any, *arguments: object) -> bool:
    end = getattr(provider, "shutdown", _nothing)
    action = f"ending {signal}"
    return call_foreign(action, lambda: end(*arguments) is not False, False, everything=True)


def _nothing(*_: object) -> None: ...
