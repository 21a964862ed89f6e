"""The ledger: the requests that the scripted model received, and what it billed."""

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
    """The state of a request.

    A response is billed once, when its usage is sent. A stream without requested usage, or broken
    before it, reports none. A fetch bills only what no earlier exchange reported.
    """

    OPEN = "open"
    BILLED = "billed"
    UNBILLED = "unbilled"
    FAILED = "failed"


@dataclass(frozen=True)
class Entry:
    """One request and its outcome; header names are in lower case.

        client.responses.create(model="gpt-4o", input="How is the weather?")
        (entry,) = model.ledger.entries
        assert (entry.api, entry.status) == ("responses", Status.BILLED)

    `reported` is the usage that was sent, even if it was billed before.
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
        """The usage that this exchange billed; zeros unless it is `BILLED`."""
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
    """A snapshot of entries, and their sums.

    Example:
        client.embeddings.create(model="text-embedding-3-small", input="weather")
        bill = model.ledger.wait(1, ended=True)
        assert bill.only(Kind.EMBEDDINGS).input_tokens == bill.input_tokens > 0
    """

    entries: tuple[Entry, ...]

    @property
    def requests(self) -> int:
        """The number of requests that arrived."""
        return len(self.entries)

    @property
    def billed(self) -> int:
        """The number of billed requests."""
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
        """Return the part of the bill that has these kinds."""
        return Bill(tuple(entry for entry in self.entries if entry.kind in kinds))


class Ledger:
    """Every request in order of arrival. Thread-safe.

        client.responses.create(model="gpt-4o", input="How is the weather?")
        assert model.ledger.requests == model.ledger.bill.billed == 1
        assert model.ledger.only(Kind.INFERENCE).input_tokens == model.ledger.input_tokens

    An entry is updated before its bytes are sent, so a client that has the response finds it here.
    Usage counts as reported once the operating system has it: a client that closes early may not
    have read it (pause the stream with `Hold` to be certain).
    """

    def __init__(self, keep_requests: bool = True) -> None:
        self._keep = keep_requests
        self._entries: list[Entry] = []
        self._dropped = 0  # entries that were cleared; numbers go on
        self._billed_ids: set[str] = set()
        self._changed = threading.Condition()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """A copy of the entries."""
        with self._changed:
            return tuple(self._entries)

    @property
    def bill(self) -> Bill:
        """A snapshot of all entries, with their sums."""
        return Bill(self.entries)

    @property
    def requests(self) -> int:
        """The number of requests that arrived."""
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
        """Return the part of the bill that has these kinds."""
        return self.bill.only(*kinds)

    def wait(self, requests: int, timeout: float = 5.0, *, ended: bool = False) -> Bill:
        """Block until `requests` requests arrived (`ended`: were served or abandoned).

        Raises:
            TimeoutError: That did not happen within `timeout` seconds.

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
        """Drop the entries; what was reported stays billed, and numbers go on."""
        with self._changed:
            self._dropped += len(self._entries)
            self._entries.clear()

    def open(self, entry: Entry) -> int:
        """Add a request, and return its number, from 0."""
        with self._changed:
            number = self._dropped + len(self._entries)
            if not self._keep:
                entry = replace(entry, headers={}, body={})
            self._entries.append(replace(entry, number=number))
            self._changed.notify_all()
        return number

    def record_usage(self, number: int, response_id: str, usage: Usage) -> None:
        """Record that exchange `number` sends the usage of a response, in place of what it sent before."""
        with self._changed:
            entry = self._entry(number)
            billing = entry is not None and entry.status is Status.BILLED
            first = billing or response_id not in self._billed_ids
            self._billed_ids.add(response_id)
            status = Status.BILLED if first else Status.UNBILLED
            self._change(number, status=status, response_id=response_id, reported=usage)

    def withdraw_usage(self, number: int) -> None:
        """Undo `record_usage`: the client was gone when the bytes were written."""
        with self._changed:
            entry = self._entry(number)
            if entry is None or entry.reported is None or entry.response_id is None:
                return
            if entry.status is Status.BILLED:
                self._billed_ids.discard(entry.response_id)
            self._change(number, status=Status.UNBILLED, reported=None)

    def end(self, number: int, *, http_status: int | None = None, failed: bool = False) -> None:
        """Record that an exchange is over; a billed one stays billed."""
        with self._changed:
            entry = self._entry(number)
            if entry is None or entry.ended:
                return
            status = entry.status
            if status is Status.OPEN:
                status = Status.FAILED if failed else Status.UNBILLED
            self._change(number, status=status, http_status=http_status, ended=True)

    def identify(self, number: int, response_id: str) -> None:
        """Record the response id of exchange `number`."""
        with self._changed:
            self._change(number, response_id=response_id)

    def _entry(self, number: int) -> Entry | None:
        index = number - self._dropped
        return self._entries[index] if index >= 0 else None  # negative: it was cleared

    def _change(self, number: int, **changes: Any) -> None:
        entry = self._entry(number)
        if entry is not None:
            self._entries[number - self._dropped] = replace(entry, **changes)
            self._changed.notify_all()
