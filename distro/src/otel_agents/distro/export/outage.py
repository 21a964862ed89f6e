"""One line when an endpoint cannot be reached, one when it answers again, one for what was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, cast

from otel_agents.distro.notices import warn
from otel_agents.distro.otlp.hint import CREDENTIALS, what_to_do
from otel_agents.distro.otlp.outcome import Outcome
from otel_agents.instrumentors.hosting import Bounded, system

__all__ = ["Losses", "Outages", "Place", "shown"]

_SHOWN: Final = 100
"""Characters of a scope's name, which is anybody's."""
_REASONS: Final = 256
"""How many are known to have been told: a receiver may give any."""


@dataclass
class Losses:
    """What is counted for the metrics: items by reason, and failed requests."""

    dropped: Counter[str]
    failures: int = 0


class Place:
    """One endpoint as all signals that go there see it."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.reached = False
        """Whether anything was ever delivered: then an outage is worth waiting for."""
        self.quiet = False
        """While the process ends, losses are told together."""
        self.lost: Counter[str] = Counter()
        self.lost_metrics = False
        self._last = Outcome(False, True, "no answer in time")
        self._failing: set[str] = set()
        self._told: Bounded[str, None] = Bounded(_REASONS, inherited=True)
        self._waiting: dict[str, Callable[[], int]] = {}
        self._bound = ""
        self._renew_lock()

    def watch(self, items: str, waiting: Callable[[], int], bound: str = "") -> None:
        """Count ``waiting()`` of ``items`` (``spans``) when speaking; ``bound`` as ``64 MiB``."""
        self._waiting[items] = waiting
        self._bound = bound or self._bound

    def failed(self, signal: str, outcome: Outcome) -> None:
        """A request failed and may pass later: said once until `delivered`."""
        with self._lock:
            first = not self._failing
            self._failing.add(signal)
            self._last = outcome
        if first and not self.quiet:
            self._tell(outcome)

    def _tell(self, outcome: Outcome) -> None:
        waiting = self._counts()
        kept = f"{waiting} wait, the oldest are dropped beyond {self._bound}; " if waiting else ""
        warn("cannot deliver to %s (%s); %s%s", self.where, outcome.text, kept, what_to_do(outcome))

    def delivered(self, signal: str) -> None:
        """A request was accepted."""
        self.reached = True
        with self._lock:
            back = self._failing == {signal}
            self._failing.discard(signal)
        if back and not self.quiet:
            warn("%s answers again; what waited is delivered", self.where)

    def rejected(self, items: str, outcome: Outcome) -> None:
        """A request will never be accepted: its items are gone, said once per reason."""
        hint = what_to_do(replace(outcome, retryable=False))
        # Credentials concern all signals; a receiver may take one signal and not another.
        key = outcome.reason if hint == CREDENTIALS else f"{items} {outcome.reason}"
        message = "%s does not accept %s (%s); what it refuses is dropped; %s"
        if outcome.unmade:
            message = "no request to %s can be made for %s (%s); they are dropped; %s"
        self._once(key, message, self.where, items, outcome.text, hint)

    def accepted_in_part(self, items: str, outcome: Outcome) -> None:
        """Of a request that was accepted some items were not, or it has a warning: each said once."""
        if outcome.rejected:
            self._once(
                f"{items} accepted in part",
                "%s does not accept all %s (%s); what it refuses is dropped, further ones are only "
                "counted; see the Collector's log",
                self.where,
                items,
                outcome.said or "it does not say why",
            )
        elif outcome.said:
            message = "%s accepts %s with a warning (%s); see the Collector's log"
            self._once(f"{items} warned of", message, self.where, items, outcome.said)

    def unencodable(self, items: str, what: str, why: str) -> None:
        """One item can never be sent, and is gone: said once.

        Args:
            items: What it is one of.
            what: More about it, never its content.
            why: Why, for people.
        """
        self._once(
            f"{items} unencodable",
            "a %s of %s cannot be encoded (%s) and is left out; the others are sent, "
            "and further ones only counted",
            items.removesuffix("s"),
            what,
            why,
        )

    def left_out(self, items: str, why: str) -> None:
        """Something of an item, an attribute, is gone: said once."""
        self._once(
            f"{items} left out",
            "an attribute of %s cannot be encoded (%s); such attributes are left out",
            items,
            why,
        )

    def overflowed(self, items: str, bound: str) -> None:
        """The oldest had to go: said once."""
        self._once(
            f"{items} overflow",
            "%s wait for %s beyond %s (OTEL_AGENTS_QUEUE_MAX_BYTES); the oldest are dropped",
            items,
            self.where,
            bound,
        )

    def _once(self, key: str, message: str, *values: object) -> None:
        with self._lock:
            new = key not in self._told
            self._told.put(key, None)
        if new:
            warn(message, *values)

    def summarise(self) -> None:
        """At the end of the process: what could not be delivered, in one line."""
        parts = [_counted(self.lost[items], items) for items in self._waiting if self.lost[items]]
        if self.lost_metrics:
            parts.append("the last metrics")
        if parts:
            lost = " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
            warn(
                "could not deliver to %s (%s); lost: %s; %s",
                self.where,
                self._last.text,
                lost,
                what_to_do(self._last),
            )

    def _counts(self) -> str:
        counts = ((items, waiting()) for items, waiting in self._waiting.items())
        return ", ".join(_counted(number, items) for items, number in counts if number)

    def renew(self) -> None:
        """In a forked child: a lock that another thread held would stay locked."""
        self._renew_lock()
        self.lost.clear()

    def _renew_lock(self) -> None:
        # Reentrant: what ends in a destructor may find a queue full while this thread holds it.
        self._lock = system.RLock()


class Outages:
    """The places of a process, by endpoint."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}

    def at(self, where: str) -> Place:
        """The place of an endpoint."""
        return self._places.setdefault(where, Place(where))

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places.values())


def _counted(number: int, items: str) -> str:
    return f"{number} {items if number != 1 else items.removesuffix('s')}"


def shown(name: object) -> str:
    """A scope's name, of which nothing is called where it is no text: it may raise anything."""
    kind = type(name)
    text = ascii(str.__str__(cast(str, name))) if issubclass(kind, str) else f"<{kind.__name__}>"
    return text[:_SHOWN]
