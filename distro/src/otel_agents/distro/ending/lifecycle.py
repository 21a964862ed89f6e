"""The end of a process: the three signals are shut down side by side, under one deadline.

However it ends: by itself, by a signal, as a child of `multiprocessing`; a process that is frozen
between two events is flushed before.
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
    begin_metrics_anew,
    detect_in_place,
    has_measured,
    instance_of,
    keep_locks,
    renew_locks,
    restart_readers,
)
from otel_agents.distro.ending.keyboard import end_as_interrupted
from otel_agents.distro.ending.open_spans import OpenSpans
from otel_agents.distro.ending.termination import DefaultAction
from otel_agents.distro.environment import SignalName
from otel_agents.distro.export.delivery import Delivery
from otel_agents.distro.export.pipeline import Pipeline
from otel_agents.distro.export.worker import Job, Worker
from otel_agents.instrumentors.hosting import (
    attempt,
    drain_streams,
    guarded,
    is_heir,
    notice_fork,
    operations_in_progress,
    renew_after_fork,
    system,
)

__all__ = ["Lifecycle", "current", "install"]

_NO_TURN: Final = 3600.0
_ENDING_ELSEWHERE: Final = 0.05
"""Seconds for a thread that was ending a span when the signal came."""

_current: Lifecycle | None = None


class Lifecycle:
    """What is to be ended, once.

    No thread is started for it: from Python 3.12 on none can be when the interpreter ends. Spans
    and log records have threads of their own, and metrics are ended by the calling one meanwhile.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._providers: tuple[Any, Any, Any] = (
            trace.get_tracer_provider(),
            metrics.get_meter_provider(),
            get_logger_provider(),
        )
        self._spare = Worker("otel-agents-exit", _NO_TURN, lambda: _NO_TURN)
        settings = pipeline.settings
        self._signal_timeout = min(settings.exit_timeout, settings.signal_timeout)
        self._action = DefaultAction(self.interrupt, self.interrupt_and_go_on, self._signal_timeout)
        self._children = Children(self, settings.exit_timeout)
        self.open_spans = OpenSpans()
        self.renew()

    def start_fallback_thread(self) -> None:
        """Have a thread for providers whose processors are not ours and may block."""
        self._spare.keep()

    def register(self, *, child: bool, signals: bool) -> None:
        """End at exit, in place of the providers' own handlers, which come one after another."""
        for provider in self._providers:
            ending = getattr(provider, "shutdown", None)
            if ending is not None:
                atexit.unregister(ending)
        self._follow_spans()
        self._instance = instance_of(self._providers[1])
        keep_locks(*self._providers)
        renew_after_fork(self._begin_in_child)
        detect_in_place()
        renew_after_fork(self._begin_unhooked, unhooked=True)
        for handler in (
            end_as_interrupted,
            self._action.withdraw,
            self.shutdown,
            self._action.obey,
        ):
            atexit.register(handler)  # the last one comes first
        self._children.follow()
        if child:
            self._children.begin()
        if signals and self.pipeline.settings.signals:
            self._action.install()

    def _begin_in_child(self) -> None:
        self.renew()
        renew_locks(*self._providers)
        if not is_heir():
            begin_metrics_anew(self._providers[1], self._instance)

    def _begin_unhooked(self) -> None:
        restart_readers(self._providers[1])

    @property
    def pending(self) -> bool:
        """Whether this process has recorded anything that its end would take along."""
        if self._ended.is_set():
            return False
        waiting = any(delivery.waiting for delivery in self._deliveries())
        open_ones = len(self.open_spans) or any(True for _ in operations_in_progress())
        return bool(waiting or open_ones) or has_measured(self._providers[1])

    def renew(self) -> None:
        """In a forked child: it has an end of its own."""
        self._ending = system.Lock()
        self._ender: int | None = None
        self._ended = system.Flag()

    def _follow_spans(self) -> None:
        """After the deliveries: what is no longer open has been handed over to them."""
        follow = getattr(self._providers[0], "add_span_processor", None)
        if follow is None:  # an API-only provider has no spans
            return
        follow(self.open_spans)
        if is_frozen(self.pipeline.environment):
            follow(FlushAtRoot(self.flush, self.pipeline.settings.exit_timeout))

    def flush(self, timeout: float) -> bool:
        """Send all that is finished or was dropped, in ``timeout`` seconds; whether that was all."""
        deadline = time.monotonic() + timeout
        drained = _drain(deadline)
        tracers, meters, loggers = self._providers
        # Ours first, since a processor before them may keep a provider from them; where all is
        # sent, there is nothing for them to do when the provider asks.
        jobs = [delivery.hand(_flushing(delivery, deadline)) for delivery in self._deliveries()]
        jobs.append(self._hand("traces", lambda: _flush("traces", tracers, deadline)))
        jobs.append(self._hand("logs", lambda: _flush("logs", loggers, deadline)))
        done = _flush("metrics", meters, deadline) and drained
        waited = [job.wait(deadline) for job in jobs]
        return done and all(waited) and not any(item.waiting for item in self._deliveries())

    @guarded("ending the process")
    def shutdown(self, timeout: float | None = None) -> None:
        """Deliver what is left and end all three signals; the second call waits for the first.

        Args:
            timeout: Seconds for all together; default is ``OTEL_AGENTS_EXIT_TIMEOUT``.
        """
        notice_fork()
        if timeout is None:
            timeout = self.pipeline.settings.exit_timeout
        deadline = time.monotonic() + timeout
        if self._ending.acquire(blocking=False):
            self._ender = threading.get_ident()
            try:
                if not self._shutdown(deadline):
                    self._end_providers()
            finally:
                self._ended.set()
        elif self._ender != threading.get_ident():  # else a handler interrupted the first
            self._ended.wait(timeout)

    def interrupt(self) -> None:
        """End the open spans as interrupted, then shut down; the application may still run."""
        deadline = time.monotonic() + self._signal_timeout
        self._interrupt(deadline)
        self.shutdown(max(deadline - time.monotonic(), 0))

    def interrupt_and_go_on(self) -> None:
        """End the open spans as interrupted, and send everything; what comes later is sent too."""
        deadline = time.monotonic() + self._signal_timeout
        self._interrupt(deadline)
        self.flush(max(deadline - time.monotonic(), 0))

    @guarded("ending open spans")
    def _interrupt(self, deadline: float) -> None:
        self.open_spans.interrupt()
        others = min(deadline, time.monotonic() + _ENDING_ELSEWHERE)
        system.wait_until(lambda: not len(self.open_spans), others - time.monotonic())

    @guarded("ending the process", False)
    def _shutdown(self, deadline: float) -> bool:
        for place in self.pipeline.outages:
            place.quiet = True
        _drain(deadline)
        self.open_spans.leave()
        self._end_all(deadline)
        for place in self.pipeline.outages:
            place.summarise()
        return True

    def _end_providers(self) -> None:
        """One after another, as without us: what of ours has failed is not needed for it."""
        for provider in self._providers:
            end = getattr(provider, "shutdown", _nothing)
            attempt("ending a provider", end, None, everything=True)

    def _end_all(self, deadline: float) -> None:
        tracers, meters, loggers = self._providers
        for exporter in self.pipeline.metric_exporters:
            exporter.deadline = deadline
        jobs = [delivery.hand(_closing(delivery, deadline)) for delivery in self._deliveries()]
        jobs.append(self._hand("traces", lambda: _end("traces", tracers)))
        jobs.append(self._hand("logs", lambda: _end("logs", loggers)))
        ended = _end("metrics", meters, max(_left(deadline), 100))
        for job in jobs:
            job.wait(deadline)
        self._give_up(ended and time.monotonic() < deadline)

    def _give_up(self, metrics_ended: bool) -> None:
        for delivery in self._deliveries():
            lost = delivery.abandon()
            if lost:
                delivery.place.lost[delivery.items] += lost
        for exporter in self.pipeline.metric_exporters:
            if not metrics_ended and exporter.sending:
                exporter.place.lost_metrics = True

    def _deliveries(self) -> list[Delivery[Any]]:
        return [item for items in self.pipeline.deliveries.values() for item in items]

    def _hand(self, signal: SignalName, work: Callable[[], object]) -> Job:
        """Have ``work`` done on a thread of the signal, here if it has none."""
        for delivery in self.pipeline.deliveries[signal]:
            return delivery.hand(work)
        return self._spare.hand(work)


def current() -> Lifecycle | None:
    """The lifecycle of this process, None before it was set up."""
    return _current


def install(pipeline: Pipeline, *, child: bool, signals: bool) -> Lifecycle:
    """Take over the end of this process.

    Args:
        pipeline: What is to be ended.
        child: Whether a library has started this process for the work of another.
        signals: Whether signals are anybody's to handle here.
    """
    global _current
    _current = Lifecycle(pipeline)
    _current.register(child=child or was_forked(), signals=signals)
    return _current


def _left(deadline: float) -> int:
    """Milliseconds."""
    return int(max(deadline - time.monotonic(), 0) * 1000)


@guarded("finalising streams", False)
def _drain(deadline: float) -> bool:
    """Have what was dropped finalised, with time left to send it; whether nothing is left of it."""
    return drain_streams(_left(deadline) / 1000 / 2)


def _flushing(delivery: Delivery[Any], deadline: float) -> Callable[[], object]:
    return lambda: delivery.flush(_left(deadline) / 1000)


def _closing(delivery: Delivery[Any], deadline: float) -> Callable[[], None]:
    return lambda: delivery.close(deadline)


@guarded("flushing", False)
def _flush(signal: SignalName, provider: Any, deadline: float) -> bool:
    """Whether ``provider`` has flushed; a foreign processor or reader may raise anything."""
    flush = getattr(provider, "force_flush", _nothing)  # an API-only provider has nothing to send
    action = f"flushing {signal}"
    return attempt(action, lambda: flush(_left(deadline)) is not False, False, everything=True)


@guarded("ending the process", False)
def _end(signal: SignalName, provider: Any, *arguments: object) -> bool:
    end = getattr(provider, "shutdown", _nothing)
    action = f"ending {signal}"
    return attempt(action, lambda: end(*arguments) is not False, False, everything=True)


def _nothing(*_: object) -> None: ...
