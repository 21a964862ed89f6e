"""A queue bounded in bytes, and the thread that sends it on: oldest first, until delivered."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from otel_agents.distro.environment import Batching
from otel_agents.distro.export.outage import Losses, Place, shown
from otel_agents.distro.export.worker import Job, Worker
from otel_agents.distro.notices import readable_bytes
from otel_agents.distro.otlp.encoding import why_unencodable
from otel_agents.distro.otlp.outcome import Outcome, Transport
from otel_agents.instrumentors.hosting import attempt, guarded, is_heir, renew_after_fork, system

__all__ = ["Delivery"]

Item = TypeVar("Item")

_SECONDS_PER_REQUEST: Final = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_PAUSE_AT_EXIT: Final = 0.5
_TRIES_AT_EXIT: Final = 2
"""Where nobody ever answered; where somebody did, it is tried until the deadline."""


class Delivery(Generic[Item]):
    """Takes items on any thread at any time, sends them on its own.

    A batch that failed for a reason that may pass goes back to the head of the queue; the next
    attempt waits. Nothing here blocks or raises in the thread that hands an item over.

    Args:
        items: What they are, for people: ``spans``.
        transport: Where they go.
        place: Who speaks about it.
        size: Bytes of one item in a request, estimated.
        batching: When and how many.
        max_bytes: The queue's bound, what is being sent included.
    """

    def __init__(
        self,
        items: str,
        transport: Transport,
        place: Place,
        size: Callable[[Item], int],
        batching: Batching,
        max_bytes: int,
    ) -> None:
        self.items = items
        self.losses = Losses(Counter())
        self._transport = transport
        self.place = place
        self._size = size
        self._batching = batching
        self._max_bytes = max_bytes
        self._worker = Worker(f"otel-agents-{items.replace(' ', '-')}", batching.delay, self._turn)
        self._empty()
        place.watch(items, lambda: self.waiting, readable_bytes(max_bytes))
        renew_after_fork(self.renew)

    @property
    def waiting(self) -> int:
        """Items not delivered yet, those being sent included."""
        with self._lock:
            return len(self._queue) + self._sending

    @property
    def is_current(self) -> bool:
        """Whether this is the delivery's own thread."""
        return self._worker.is_current

    def start(self) -> None:
        """Start the thread, so that it exists when items come while the process ends."""
        if not self._worker.running:
            self._worker.start()

    def put(self, item: Item) -> None:
        """Take an item; the oldest give way if there is no room."""
        if self._closed:
            self._drop("shutdown", 1)
            return
        try:
            size = self._size(item)
        except Exception as error:  # noqa: BLE001  it holds objects of others, which may raise anything
            self._leave_out(item, why_unencodable(error))
            return
        with self._lock:
            self._queue.append((item, size))
            self._bytes += size
            evicted = self._evict()
            full = self._bytes >= self._transport.max_request_bytes
            full = full or len(self._queue) >= self._batching.max_items
        if evicted:
            self._drop("queue_full", evicted)
            self.place.overflowed(self.items, readable_bytes(self._max_bytes))
        self.start()
        if full and not self._woken and not self._failures:
            self._woken = True
            self._worker.wake()

    def flush(self, timeout: float) -> bool:
        """Send what waits, in ``timeout`` seconds at most; whether nothing waits any more."""
        deadline = time.monotonic() + timeout
        self._worker.hand(lambda: self._send_all(deadline)).wait(deadline)
        return not self.waiting

    def hand(self, work: Callable[[], object]) -> Job:
        """Have ``work`` done on the delivery's thread."""
        return self._worker.hand(work)

    @guarded("ending a delivery")
    def close(self, deadline: float) -> None:
        """Send what waits until ``deadline`` (`time.monotonic`), count the rest as lost, end.

        Run it on the delivery's own thread with `hand`, or anywhere if there is none.
        """
        if self._closed:
            return
        self._closed = True
        self._last_tries(deadline)
        lost = self.abandon()
        if lost:
            self.place.lost[self.items] += lost
        attempt(f"shutting down the exporter of {self.items}", self._transport.close, None)

    def abandon(self) -> int:
        """Give up what waits; how many those were."""
        with self._lock:
            lost = self.waiting
            self._queue.clear()
            self._bytes = self._sending = 0
        self._drop("exit", lost)
        return lost

    def _turn(self) -> float:
        self._woken = False
        pause = self._not_before - time.monotonic()
        if pause <= 0:
            self._send_all(time.monotonic() + _SECONDS_PER_REQUEST)
            if self._queue and not self._failures:
                return 0.0  # more came meanwhile than one turn may send
            pause = self._not_before - time.monotonic()
        return min(pause, self._batching.delay) if pause > 0 else self._batching.delay

    @guarded("sending what waits")
    def _send_all(self, deadline: float) -> None:
        """Send until nothing waits, or a request fails for a reason that may pass."""
        while self._queue and time.monotonic() < deadline:
            if not self._send_one(deadline):
                return

    def _last_tries(self, deadline: float) -> None:
        tries = 0
        while self._queue and time.monotonic() < deadline:
            if self._send_one(deadline):
                continue
            tries += 1
            if tries >= _TRIES_AT_EXIT and not self.place.reached:
                return
            system.pause(max(min(_PAUSE_AT_EXIT, deadline - time.monotonic()), 0))

    def _send_one(self, deadline: float) -> bool:
        """Send one request; whether the next may follow."""
        batch = self._take()
        timeout = min(max(deadline - time.monotonic(), 0.1), _SECONDS_PER_REQUEST)
        outcome = self._attempted(batch, timeout)
        if len(batch) > 1 and (outcome is None or outcome.unencodable):
            # Half of them next, and again, until the one is found.
            self._put_back(batch, next_time=len(batch) // 2)
            return True
        if outcome is None:
            self._sent(batch)
            self._drop("failed", len(batch))
            return True
        if outcome.too_large and len(batch) > 1:
            self._room = sum(size for _, size in batch) // 2
            self._put_back(batch)
            return True
        if outcome.retryable:
            self._put_back(batch)
            self._wait(outcome)
            return False
        self._sent(batch)
        self._conclude(batch, outcome)
        return True

    def _attempted(self, batch: list[tuple[Item, int]], timeout: float) -> Outcome | None:
        """The outcome; None where there is none, and nothing says that it would be another time."""
        items = [item for item, _ in batch]
        try:
            return attempt(
                f"exporting {self.items}",
                lambda: self._transport.send(items, timeout),
                None,
                everything=self.is_current,
            )
        except BaseException:  # the application's, on a thread of its own
            self._put_back(batch)
            raise

    def _conclude(self, batch: list[tuple[Item, int]], outcome: Outcome) -> None:
        if outcome.delivered:
            self._failures, self._not_before = 0, 0.0
            self.place.delivered(self.items)
            self._drop("rejected", min(outcome.rejected, len(batch)))
            self.place.accepted_in_part(self.items, outcome)
            if outcome.left_out:
                self.place.left_out(self.items, outcome.left_out)
        elif outcome.unencodable:
            self._leave_out(batch[0][0], outcome.reason)
        else:
            self.losses.failures += 1
            self._drop("rejected", len(batch))
            self.place.rejected(self.items, outcome)
            if outcome.too_large:
                # It was alone. If the next is refused alone too, size was not the reason, and
                # halving anew for each would only burden who refuses.
                self._most, self._room = 1, sys.maxsize

    def _leave_out(self, item: Item, why: str) -> None:
        self._drop("unencodable", 1)
        scope = getattr(getattr(item, "instrumentation_scope", None), "name", None)
        self.place.unencodable(self.items, f"the scope {shown(scope)}", why)

    def _wait(self, outcome: Outcome) -> None:
        self.losses.failures += 1
        pause = min(_FIRST_PAUSE * 2**self._failures, _LONGEST_PAUSE) * random.uniform(0.8, 1.2)
        self._not_before = time.monotonic() + max(pause, outcome.after)
        self._failures = min(self._failures + 1, 10)
        self.place.failed(self.items, outcome)

    def _take(self) -> list[tuple[Item, int]]:
        batch: list[tuple[Item, int]] = []
        room = min(self._transport.max_request_bytes, self._room)
        with self._lock:
            while self._queue and len(batch) < self._most:
                if batch and self._queue[0][1] > room:
                    break
                batch.append(self._queue.popleft())
                room -= batch[-1][1]
            self._sending = len(batch)
            self._most = self._batching.max_items
        return batch

    def _put_back(self, batch: list[tuple[Item, int]], next_time: int | None = None) -> None:
        evicted = 0
        with self._lock:
            self._most = next_time or self._most
            if self._sending:  # else it was given up meanwhile
                self._queue.extendleft(reversed(batch))
                self._sending = 0
                evicted = self._evict()
        self._drop("queue_full", evicted)

    def _sent(self, batch: list[tuple[Item, int]]) -> None:
        with self._lock:
            if self._sending:
                self._bytes -= sum(size for _, size in batch)
                self._sending = 0

    def _evict(self) -> int:
        evicted = 0
        most = self._batching.max_queued
        while self._queue and (
            self._bytes > self._max_bytes or (most is not None and self.waiting > most)
        ):
            self._bytes -= self._queue.popleft()[1]
            evicted += 1
        return evicted

    def _drop(self, reason: str, number: int) -> None:
        if number:
            with self._lock:
                self.losses.dropped[reason] += number

    def _empty(self) -> None:
        # Reentrant: a destructor or a signal handler may end a span while this thread holds it.
        self._lock = system.RLock()
        self._queue: deque[tuple[Item, int]] = deque()
        self._bytes = self._sending = self._failures = 0
        self._not_before = 0.0
        self._most = self._batching.max_items
        self._room = sys.maxsize  # bytes of a request that the receiver may take
        self._woken = self._closed = False

    def renew(self) -> None:
        """In a forked child: what waited is the parent's, and so are thread and connections."""
        waiting, size, losses = self._queue, self._bytes, self.losses
        self._empty()
        self.losses = Losses(Counter())
        if is_heir():
            self._queue, self._bytes, self.losses = waiting, size, losses
        self._worker.forget()
        self.place.renew()
        attempt(f"renewing the exporter of {self.items}", self._transport.renew, None)
