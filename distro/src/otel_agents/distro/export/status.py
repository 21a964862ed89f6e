"""The state of an endpoint, and the log lines about it: each problem is logged once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, cast

from otel_agents.distro.notices import listed, warn
from otel_agents.distro.otlp.hints import CREDENTIALS, hint_for
from otel_agents.distro.otlp.outcome import Outcome
from otel_agents.instrumentors.hosting import Bounded, system

__all__ = ["EndpointStatus", "Endpoints", "ExportCounts", "readable_scope"]

_MAX_SCOPE: Final = 100
"""Characters of a scope's name that a message shows."""
_MAX_REASONS: Final = 256
"""How many logged problems are remembered: a receiver may give any reason."""


@dataclass
class ExportCounts:
    """Counts for the metrics: dropped items by reason, and failed requests."""

    dropped: Counter[str]
    failures: int = 0


class EndpointStatus:
    """The state of one endpoint, shared by all signals that go there."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.reached = False
        """Whether anything was ever delivered; only then is it worth retrying at exit."""
        self.quiet = False
        """While the process exits, failures are logged together by `log_undelivered`."""
        self.undelivered: Counter[str] = Counter()
        self.undelivered_metrics = False
        self._last = Outcome(False, True, "timed out")
        self._failing: set[str] = set()
        self._logged: Bounded[str, None] = Bounded(_MAX_REASONS, inherited=True)
        self._queues: dict[str, Callable[[], int]] = {}
        self._limit = ""
        self._renew_lock()

    def add_queue(self, items: str, waiting: Callable[[], int], limit: str = "") -> None:
        """Have messages show ``waiting()`` of ``items`` (``spans``), and ``limit`` (``64 MiB``)."""
        self._queues[items] = waiting
        self._limit = limit or self._limit

    def failed(self, signal: str, outcome: Outcome) -> None:
        """Note a retryable failure; log it once until `delivered`."""
        with self._lock:
            first = not self._failing
            self._failing.add(signal)
            self._last = outcome
        if first and not self.quiet:
            self._log_failure(outcome)

    def _log_failure(self, outcome: Outcome) -> None:
        waiting = self._queued()
        queued = (
            f"queued: {waiting} (the oldest are dropped beyond {self._limit}); " if waiting else ""
        )
        warn(
            "cannot deliver to %s (%s); %s%s",
            self.endpoint,
            outcome.text,
            queued,
            hint_for(outcome),
        )

    def delivered(self, signal: str) -> None:
        """Note an accepted request; log the recovery if requests failed before."""
        self.reached = True
        with self._lock:
            recovered = self._failing == {signal}
            self._failing.discard(signal)
        if recovered and not self.quiet:
            warn("%s accepts requests again; sending what was queued", self.endpoint)

    def rejected(self, items: str, outcome: Outcome) -> None:
        """Log, once per reason, a request that will never be accepted: its items are dropped."""
        hint = hint_for(replace(outcome, retryable=False))
        # Credentials concern all signals; other reasons may concern one signal only.
        key = outcome.reason if hint == CREDENTIALS else f"{items} {outcome.reason}"
        message = "%s rejects %s (%s); what it rejects is dropped; %s"
        if outcome.misconfigured:
            message = "cannot build a request to %s for %s (%s); they are dropped; %s"
        self._log_once(key, message, self.endpoint, items, outcome.text, hint)

    def partially_accepted(self, items: str, outcome: Outcome) -> None:
        """Log, once each, that an accepted request had rejected items or a warning."""
        if outcome.rejected:
            self._log_once(
                f"{items} accepted in part",
                "%s rejects some %s (%s); what it rejects is dropped and counted, and not logged "
                "again; see the Collector's log",
                self.endpoint,
                items,
                outcome.message or "no reason given",
            )
        elif outcome.message:
            message = "%s accepts %s with a warning (%s); see the Collector's log"
            self._log_once(f"{items} warned of", message, self.endpoint, items, outcome.message)

    def unencodable(self, items: str, item: str, reason: str) -> None:
        """Log, once, that an item cannot be encoded and is dropped.

        Args:
            items: What kind of item it is (``spans``).
            item: Its origin (its scope or metric), never its content.
            reason: Why it cannot be encoded.
        """
        self._log_once(
            f"{items} unencodable",
            "a %s of %s cannot be encoded (%s) and is dropped; the others are sent; "
            "further drops are counted and not logged",
            items.removesuffix("s"),
            item,
            reason,
        )

    def attribute_dropped(self, items: str, reason: str) -> None:
        """Log, once, that an attribute cannot be encoded; its item is sent without it."""
        self._log_once(
            f"{items} attribute",
            "an attribute of %s cannot be encoded (%s); such attributes are dropped",
            items,
            reason,
        )

    def queue_full(self, items: str, limit: str) -> None:
        """Log, once, that the oldest items were dropped to make room."""
        self._log_once(
            f"{items} overflow",
            "the queue of %s to %s is full (OTEL_AGENTS_QUEUE_MAX_BYTES, %s); "
            "the oldest are dropped",
            items,
            self.endpoint,
            limit,
        )

    def _log_once(self, key: str, message: str, *values: object) -> None:
        with self._lock:
            new = key not in self._logged
            self._logged.put(key, None)
        if new:
            warn(message, *values)

    def log_undelivered(self) -> None:
        """Log, in one line at exit, what could not be delivered."""
        parts = [
            _counted(self.undelivered[items], items)
            for items in self._queues
            if self.undelivered[items]
        ]
        if self.undelivered_metrics:
            parts.append("the last metrics")
        if parts:
            undelivered = listed(parts, "and")
            warn(
                "could not deliver to %s (%s) before exit; dropped: %s; %s",
                self.endpoint,
                self._last.text,
                undelivered,
                hint_for(self._last),
            )

    def _queued(self) -> str:
        counts = ((items, waiting()) for items, waiting in self._queues.items())
        return ", ".join(_counted(number, items) for items, number in counts if number)

    def renew(self) -> None:
        """Replace the lock in a forked child, where another thread of the parent may hold it."""
        self._renew_lock()
        self.undelivered.clear()

    def _renew_lock(self) -> None:
        # Reentrant: a span that a destructor ends may fill a queue while this thread holds it.
        self._lock = system.RLock()


class Endpoints:
    """The status of each endpoint of this process."""

    def __init__(self) -> None:
        self._statuses: dict[str, EndpointStatus] = {}

    def at(self, endpoint: str) -> EndpointStatus:
        """Return the status of an endpoint."""
        return self._statuses.setdefault(endpoint, EndpointStatus(endpoint))

    def __iter__(self) -> Iterator[EndpointStatus]:
        return iter(self._statuses.values())


def _counted(number: int, items: str) -> str:
    return f"{number} {items if number != 1 else items.removesuffix('s')}"


def readable_scope(name: object) -> str:
    """Return a scope's name for a message; call no method of a name that is not a string."""
    kind = type(name)
    text = ascii(str.__str__(cast(str, name))) if issubclass(kind, str) else f"<{kind.__name__}>"
    return text[:_MAX_SCOPE]
