"""The ledger: what was asked of the scripted model and what it billed for it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from otel_agents.testing.scripted_model.reactions import Usage


class Kind(str, Enum):
    """What a request is for."""

    INFERENCE = "inference"
    EMBEDDINGS = "embeddings"
    IMAGE = "image"
    AUDIO = "audio"
    FETCH = "fetch"
    OTHER = "other"


class Status(str, Enum):
    """How a request stands.

    A response is billed when its usage is told, and once: a stream that was not asked for usage,
    or that broke before it, tells none, and a fetch bills what no earlier exchange told.
    """

    OPEN = "open"
    BILLED = "billed"
    UNBILLED = "unbilled"
    FAILED = "failed"


@dataclass(frozen=True)
class Entry:
    """One request and its outcome; header names are in lower case.

    `reported` is the usage that went over the wire, also where it was billed before.
    """

    number: int
    kind: Kind
    api: str
    method: str
    path: str
    model: str
    streamed: bool
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)
    status: Status = Status.OPEN
    http_status: int | None = None
    response_id: str | None = None
    reported: Usage | None = None
    ended: bool = False

    @property
    def billed(self) -> Usage:
        """The usage that this exchange was billed; zeros unless it is `BILLED`."""
        return self.reported if self.reported and self.status is Status.BILLED else Usage()

    @property
    def input_tokens(self) -> int:
        """Billed input tokens."""
        return self.billed.input_tokens

    @property
    def output_tokens(self) -> int:
        """Billed output tokens."""
        return self.billed.output_tokens

    @property
    def cached_tokens(self) -> int:
        """Billed input tokens that came from a cache."""
        return self.billed.cached_tokens

    @property
    def reasoning_tokens(self) -> int:
        """Billed output tokens spent on reasoning."""
        return self.billed.reasoning_tokens


@dataclass(frozen=True)
class Bill:
    """Entries at one moment, and their sums."""

    entries: tuple[Entry, ...]

    @property
    def requests(self) -> int:
        """How many requests arrived."""
        return len(self.entries)

    @property
    def billed(self) -> int:
        """How many of them were billed."""
        return sum(entry.status is Status.BILLED for entry in self.entries)

    @property
    def input_tokens(self) -> int:
        """Billed input tokens of all entries."""
        return sum(entry.input_tokens for entry in self.entries)

    @property
    def output_tokens(self) -> int:
        """Billed output tokens of all entries."""
        return sum(entry.output_tokens for entry in self.entries)

    @property
    def cached_tokens(self) -> int:
        """Billed cached input tokens of all entries."""
        return sum(entry.cached_tokens for entry in self.entries)

    @property
    def reasoning_tokens(self) -> int:
        """Billed reasoning tokens of all entries."""
        return sum(entry.reasoning_tokens for entry in self.entries)

    def only(self, *kinds: Kind) -> Bill:
        """The part of the bill that is of these kinds."""
        return Bill(tuple(entry for entry in self.entries if entry.kind in kinds))


class Ledger:
    """Every request in the order of arrival; safe to read from any thread.

    An entry is brought up to date before the bytes that tell it are sent, so a client that has
    its answer finds it here. Usage counts as told when it was handed to the operating system: a
    client that closes early may not have read it (hold the stream with `Hold` to be certain).
    """

    def __init__(self, keep_requests: bool = True) -> None:
        self._keep = keep_requests
        self._entries: list[Entry] = []
        self._dropped = 0  # entries cleared away; numbers go on
        self._billed_ids: set[str] = set()
        self._changed = threading.Condition()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """A copy of the entries as they are now."""
        with self._changed:
            return tuple(self._entries)

    @property
    def bill(self) -> Bill:
        """All entries as they are now, with their sums."""
        return Bill(self.entries)

    @property
    def requests(self) -> int:
        """How many requests arrived."""
        return self.bill.requests

    @property
    def input_tokens(self) -> int:
        """Billed input tokens."""
        return self.bill.input_tokens

    @property
    def output_tokens(self) -> int:
        """Billed output tokens."""
        return self.bill.output_tokens

    def only(self, *kinds: Kind) -> Bill:
        """The part of the bill that is of these kinds."""
        return self.bill.only(*kinds)

    def wait(self, requests: int, timeout: float = 5.0, *, ended: bool = False) -> Bill:
        """Block until so many requests arrived (`ended`: were served to the end or given up).

        Raises:
            TimeoutError: that did not happen within `timeout` seconds.

        """

        def reached() -> bool:
            return sum(entry.ended or not ended for entry in self._entries) >= requests

        with self._changed:
            if not self._changed.wait_for(reached, timeout):
                raise TimeoutError(
                    f"{len(self._entries)} of {requests} requests within {timeout} s; "
                    f"states: {[entry.status.value for entry in self._entries]}"
                )
            return Bill(tuple(self._entries))

    def clear(self) -> None:
        """Forget the entries; what was told stays billed, numbers go on."""
        with self._changed:
            self._dropped += len(self._entries)
            self._entries.clear()

    def open(self, entry: Entry) -> int:
        """Add a request; returns its number, counted from 0."""
        with self._changed:
            number = self._dropped + len(self._entries)
            if not self._keep:
                entry = replace(entry, headers={}, body={})
            self._entries.append(replace(entry, number=number))
            self._changed.notify_all()
        return number

    def record_usage(self, number: int, response_id: str, usage: Usage) -> None:
        """Record that the usage of a response goes over the wire in exchange `number`."""
        with self._changed:
            first = response_id not in self._billed_ids
            self._billed_ids.add(response_id)
            status = Status.BILLED if first else Status.UNBILLED
            self._change(number, status=status, response_id=response_id, reported=usage)

    def withdraw_usage(self, number: int) -> None:
        """Take back what `tell` recorded: the client was gone when the bytes were written."""
        with self._changed:
            entry = self._entry(number)
            if entry is None or entry.reported is None or entry.response_id is None:
                return
            if entry.status is Status.BILLED:
                self._billed_ids.discard(entry.response_id)
            self._change(number, status=Status.UNBILLED, reported=None)

    def end(self, number: int, *, http_status: int | None = None, failed: bool = False) -> None:
        """Record that an exchange is over; one that was billed stays so, whatever follows."""
        with self._changed:
            entry = self._entry(number)
            if entry is None or entry.ended:
                return
            status = entry.status
            if status is Status.OPEN:
                status = Status.FAILED if failed else Status.UNBILLED
            self._change(number, status=status, http_status=http_status, ended=True)

    def identify(self, number: int, response_id: str) -> None:
        """Record the id of the response that exchange `number` is about."""
        with self._changed:
            self._change(number, response_id=response_id)

    def _entry(self, number: int) -> Entry | None:
        index = number - self._dropped
        return self._entries[index] if index >= 0 else None  # a negative one was cleared away

    def _change(self, number: int, **changes: Any) -> None:
        entry = self._entry(number)
        if entry is not None:
            self._entries[number - self._dropped] = replace(entry, **changes)
            self._changed.notify_all()
