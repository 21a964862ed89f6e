"""A queue bounded in bytes, and the thread that exports it, oldest first, until it is delivered."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from otel_agents.distro.environment import Batching
from otel_agents.distro.export.status import EndpointStatus, ExportCounts, readable_scope
from otel_agents.distro.export.worker import Job, Worker
from otel_agents.distro.notices import readable_bytes
from otel_agents.distro.otlp.encoding import why_unencodable
from otel_agents.distro.otlp.outcome import Outcome, Transport
from otel_agents.instrumentors.hosting import (
    call_foreign,
    guarded,
    inherits_telemetry,
    renew_after_fork,
    system,
)

__all__ = ["Delivery"]

Item = TypeVar("Item")

_REQUEST_TIMEOUT: Final = 10.0
_FIRST_BACKOFF, _MAX_BACKOFF = 1.0, 30.0
_DELAY_AT_EXIT: Final = 0.5
_ATTEMPTS_AT_EXIT: Final = 2
"""To an endpoint that never responded; one that did is tried until the deadline."""


class Delivery(Generic[Item]):
    """Accept items on any thread and send them on a thread of its own.

    A batch whose failure is retryable goes back to the head of the queue, and the next attempt
    waits. `put` neither blocks nor raises.

    Args:
        items: What the items are, as messages call them: ``spans``.
        transport: Sends them.
        status: Logs what becomes of them.
        size: Estimates the bytes of one item in a request.
        batching: Delay between exports, and limits in items.
        max_bytes: Limit of the queue; the batch that is being sent counts.
    """

    def __init__(
        self,
        items: str,
        transport: Transport,
        status: EndpointStatus,
        size: Callable[[Item], int],
        batching: Batching,
        max_bytes: int,
    ) -> None:
        self.items = items
        self.counts = ExportCounts(Counter())
        self._transport = transport
        self.status = status
        self._size = size
        self._batching = batching
        self._max_bytes = max_bytes
        self._worker = Worker(f"otel-agents-{items.replace(' ', '-')}", batching.delay, self._run)
        self._reset()
        status.add_queue(items, lambda: self.waiting, readable_bytes(max_bytes))
        renew_after_fork(self.renew)

    @property
    def waiting(self) -> int:
        """Number of items not delivered yet, including those being sent."""
        with self._lock:
            return len(self._queue) + self._sending

    @property
    def is_current(self) -> bool:
        """Whether the caller runs on the delivery's own thread."""
        return self._worker.is_current

    def start(self) -> None:
        """Start the thread early: while the interpreter exits, none can be started."""
        if not self._worker.running:
            self._worker.start()

    def put(self, item: Item) -> None:
        """Queue an item; drop the oldest if the queue is full."""
        if self._closed:
            self._drop("shutdown", 1)
            return
        try:
            size = self._size(item)
        except Exception as error:  # noqa: BLE001  an item holds application objects
            self._drop_unencodable(item, why_unencodable(error))
            return
        with self._lock:
            self._queue.append((item, size))
            self._bytes += size
            evicted = self._evict()
            full = self._bytes >= self._transport.max_request_bytes
            full = full or len(self._queue) >= self._batching.max_items
        if evicted:
            self._drop("queue_full", evicted)
            self.status.queue_full(self.items, readable_bytes(self._max_bytes))
        self.start()
        if full and not self._woken and not self._failures:
            self._woken = True
            self._worker.wake()

    def flush(self, timeout: float) -> bool:
        """Send what is queued, within ``timeout`` seconds. Return whether the queue is empty."""
        deadline = time.monotonic() + timeout
        self._worker.submit(lambda: self._send_all(deadline)).wait(deadline)
        return not self.waiting

    def submit(self, work: Callable[[], object]) -> Job:
        """Run ``work`` on the delivery's thread."""
        return self._worker.submit(work)

    @guarded("ending a delivery")
    def close(self, deadline: float) -> None:
        """Send what is queued until ``deadline`` (`time.monotonic`), drop the rest, shut down.

        Call it on the delivery's own thread with `submit`, or anywhere if there is none.
        """
        if self._closed:
            return
        self._closed = True
        self._send_at_exit(deadline)
        dropped = self.drop_all()
        if dropped:
            self.status.undelivered[self.items] += dropped
        call_foreign(f"shutting down the exporter of {self.items}", self._transport.close, None)

    def drop_all(self) -> int:
        """Drop what is queued. Return how many items that were."""
        with self._lock:
            dropped = self.waiting
            self._queue.clear()
            self._bytes = self._sending = 0
        self._drop("exit", dropped)
        return dropped

    def _run(self) -> float:
        self._woken = False
        delay = self._not_before - time.monotonic()
        if delay <= 0:
            self._send_all(time.monotonic() + _REQUEST_TIMEOUT)
            if self._queue and not self._failures:
                return 0.0  # more arrived than one run may send
            delay = self._not_before - time.monotonic()
        return min(delay, self._batching.delay) if delay > 0 else self._batching.delay

    @guarded("sending what is queued")
    def _send_all(self, deadline: float) -> None:
        """Send until the queue is empty or a request fails with a retryable error."""
        while self._queue and time.monotonic() < deadline:
            if not self._send_one(deadline):
                return

    def _send_at_exit(self, deadline: float) -> None:
        attempts = 0
        while self._queue and time.monotonic() < deadline:
            if self._send_one(deadline):
                continue
            attempts += 1
            if attempts >= _ATTEMPTS_AT_EXIT and not self.status.reached:
                return
            system.pause(max(min(_DELAY_AT_EXIT, deadline - time.monotonic()), 0))

    def _send_one(self, deadline: float) -> bool:
        """Send one request. Return whether the next may follow."""
        batch = self._next_batch()
        timeout = min(max(deadline - time.monotonic(), 0.1), _REQUEST_TIMEOUT)
        outcome = self._attempt(batch, timeout)
        if len(batch) > 1 and (outcome is None or outcome.unencodable):
            # Bisect: send half of them next, until the item that fails is alone.
            self._put_back(batch, max_items=len(batch) // 2)
            return True
        if outcome is None:
            self._release(batch)
            self._drop("failed", len(batch))
            return True
        if outcome.too_large and len(batch) > 1:
            self._max_request = sum(size for _, size in batch) // 2
            self._put_back(batch)
            return True
        if outcome.retryable:
            self._put_back(batch)
            self._back_off(outcome)
            return False
        self._release(batch)
        self._record_outcome(batch, outcome)
        return True

    def _attempt(self, batch: list[tuple[Item, int]], timeout: float) -> Outcome | None:
        """Return the outcome, None if the transport raised; a retry could raise again."""
        items = [item for item, _ in batch]
        try:
            return call_foreign(
                f"exporting {self.items}",
                lambda: self._transport.send(items, timeout),
                None,
                everything=self.is_current,
            )
        except BaseException:  # the application's own exit or interrupt, on its own thread
            self._put_back(batch)
            raise

    def _record_outcome(self, batch: list[tuple[Item, int]], outcome: Outcome) -> None:
        if outcome.delivered:
            self._failures, self._not_before = 0, 0.0
            self.status.delivered(self.items)
            self._drop("rejected", min(outcome.rejected, len(batch)))
            self.status.partially_accepted(self.items, outcome)
            if outcome.unencoded_attribute:
                self.status.attribute_dropped(self.items, outcome.unencoded_attribute)
        elif outcome.unencodable:
            self._drop_unencodable(batch[0][0], outcome.reason)
        else:
            self.counts.failures += 1
            self._drop("rejected", len(batch))
            self.status.rejected(self.items, outcome)
            if outcome.too_large:
                # It was alone. If the next one is rejected alone too, size was not the reason, and
                # bisecting each batch again would only burden the receiver.
                self._max_items, self._max_request = 1, sys.maxsize

    def _drop_unencodable(self, item: Item, why: str) -> None:
        self._drop("unencodable", 1)
        scope = getattr(getattr(item, "instrumentation_scope", None), "name", None)
        self.status.unencodable(self.items, f"the scope {readable_scope(scope)}", why)

    def _back_off(self, outcome: Outcome) -> None:
        self.counts.failures += 1
        delay = min(_FIRST_BACKOFF * 2**self._failures, _MAX_BACKOFF) * random.uniform(0.8, 1.2)
        self._not_before = time.monotonic() + max(delay, outcome.retry_after)
        self._failures = min(self._failures + 1, 10)
        self.status.failed(self.items, outcome)

    def _next_batch(self) -> list[tuple[Item, int]]:
        batch: list[tuple[Item, int]] = []
        room = min(self._transport.max_request_bytes, self._max_request)
        with self._lock:
            while self._queue and len(batch) < self._max_items:
                if batch and self._queue[0][1] > room:
                    break
                batch.append(self._queue.popleft())
                room -= batch[-1][1]
            self._sending = len(batch)
            self._max_items = self._batching.max_items
        return batch

    def _put_back(self, batch: list[tuple[Item, int]], max_items: int | None = None) -> None:
        evicted = 0
        with self._lock:
            self._max_items = max_items or self._max_items
            if self._sending:  # else `drop_all` has dropped it meanwhile
                self._queue.extendleft(reversed(batch))
                self._sending = 0
                evicted = self._evict()
        self._drop("queue_full", evicted)

    def _release(self, batch: list[tuple[Item, int]]) -> None:
        with self._lock:
            if self._sending:
                self._bytes -= sum(size for _, size in batch)
                self._sending = 0

    def _evict(self) -> int:
        evicted = 0
        limit = self._batching.max_queued
        while self._queue and (
            self._bytes > self._max_bytes or (limit is not None and self.waiting > limit)
        ):
            self._bytes -= self._queue.popleft()[1]
            evicted += 1
        return evicted

    def _drop(self, reason: str, number: int) -> None:
        if number:
            with self._lock:
                self.counts.dropped[reason] += number

    def _reset(self) -> None:
        # Reentrant: a destructor or a signal handler may end a span while this thread holds it.
        self._lock = system.RLock()
        self._queue: deque[tuple[Item, int]] = deque()
        self._bytes = self._sending = self._failures = 0
        self._not_before = 0.0
        self._max_items = self._batching.max_items
        self._max_request = sys.maxsize  # bytes of a request that the receiver accepts
        self._woken = self._closed = False

    def renew(self) -> None:
        """Start empty in a forked child: queue, thread and connections belong to the parent."""
        waiting, size, counts = self._queue, self._bytes, self.counts
        self._reset()
        self.counts = ExportCounts(Counter())
        if inherits_telemetry():
            self._queue, self._bytes, self.counts = waiting, size, counts
        self._worker.reset()
        self.status.renew()
        call_foreign(f"renewing the exporter of {self.items}", self._transport.renew, None)
