"""The queue before the endpoint: bounded, oldest first, never blocking."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from forked import in_a_forked_child
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from otel_agents.distro.environment import Batching
from otel_agents.distro.export.delivery import Delivery
from otel_agents.distro.export.measures import measure
from otel_agents.distro.export.sizes import span_size
from otel_agents.distro.export.status import EndpointStatus
from otel_agents.distro.notices import readable_bytes
from otel_agents.distro.otlp.outcome import DELIVERED, Outcome
from otel_agents.instrumentors._core import errors, workers

AWAY = Outcome(False, True, "connection refused")
REFUSED = Outcome(False, False, "HTTP 400")
NEVER = Batching(delay=3600, max_items=1000, max_queued=None)
SECONDS = 30.0
"""For events that normally come at once."""


class FakeTransport:
    """Returns the given outcomes, then DELIVERED; keeps what it was sent."""

    endpoint = "http://collector"

    def __init__(self, *outcomes: Outcome, max_request_bytes: int = 1000) -> None:
        self.max_request_bytes = max_request_bytes
        self.sent: list[list[str]] = []
        self.renewed = 0
        self.attempts = threading.Semaphore(0)
        self.before: Callable[[], object] = lambda: None
        self._outcomes = list(outcomes)

    def send(self, items: Sequence[str], timeout: float) -> Outcome:
        self.before()
        outcome = self._outcomes.pop(0) if self._outcomes else DELIVERED
        if outcome.delivered:
            self.sent.append(list(items))
        self.attempts.release()
        return outcome

    def renew(self) -> None:
        self.renewed += 1

    def close(self) -> None: ...


def deliver_to(
    transport: FakeTransport, *, batching: Batching = NEVER, max_bytes: int = 10_000
) -> Delivery[str]:
    return Delivery(
        "spans", transport, EndpointStatus(transport.endpoint), len, batching, max_bytes
    )


def test_requests_stay_below_the_limit_and_a_larger_item_goes_alone() -> None:
    transport = FakeTransport(max_request_bytes=10)
    delivery = deliver_to(transport)
    for item in ("aaaa", "bbbb", "cccc", "d" * 25, "ee"):
        delivery.put(item)
    assert delivery.flush(SECONDS)
    assert transport.sent == [["aaaa", "bbbb"], ["cccc"], ["d" * 25], ["ee"]]


def test_a_request_has_no_more_items_than_configured() -> None:
    transport = FakeTransport()
    delivery = deliver_to(transport, batching=Batching(3600, 2, None))
    for item in "abc":
        delivery.put(item)
    assert delivery.flush(SECONDS)
    assert transport.sent == [["a", "b"], ["c"]]


def test_a_full_batch_is_sent_without_waiting_for_the_interval() -> None:
    transport = FakeTransport()
    delivery = deliver_to(transport, batching=Batching(3600, 2, None))
    delivery.put("a")
    delivery.put("b")
    assert transport.attempts.acquire(timeout=SECONDS)
    assert transport.sent == [["a", "b"]]


def test_a_retryable_batch_stays_at_the_head_until_it_is_delivered() -> None:
    transport = FakeTransport(AWAY)
    delivery = deliver_to(transport)
    delivery.put("aa")
    delivery.put("bb")
    transport.max_request_bytes = 2
    assert not delivery.flush(SECONDS)
    assert (delivery.waiting, transport.sent) == (2, [])
    delivery.put("cc")
    assert delivery.flush(SECONDS)
    assert transport.sent == [["aa"], ["bb"], ["cc"]]
    assert delivery.counts.dropped == {}


def test_a_retried_batch_keeps_its_order() -> None:
    transport = FakeTransport(AWAY)
    delivery = deliver_to(transport)
    for item in "abc":
        delivery.put(item)
    delivery.flush(SECONDS)
    delivery.put("d")
    assert delivery.flush(SECONDS)
    assert transport.sent == [["a", "b", "c", "d"]]


def test_one_failure_ends_the_run() -> None:
    """Eight requests to a hanging endpoint must not wait eight timeouts."""
    transport = FakeTransport(*[AWAY] * 8)
    delivery = deliver_to(transport)
    for item in "abcdefgh":
        delivery.put(item)
    transport.max_request_bytes = 1
    delivery.flush(SECONDS)
    assert transport.attempts.acquire(blocking=False)
    assert not transport.attempts.acquire(blocking=False)


@pytest.mark.parametrize("reason", ["RESOURCE_EXHAUSTED", "HTTP 413"])
def test_a_request_that_is_too_large_is_bisected(
    reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    transport = Narrow(reason)
    delivery = deliver_to(transport)
    small = [char * 4 for char in "abcdefgh"]
    for item in (*small[:4], "x" * 50, *small[4:]):
        delivery.put(item)
    assert delivery.flush(SECONDS)
    assert [item for batch in transport.sent for item in batch] == small
    assert delivery.counts.dropped == {"rejected": 1}
    (line,) = [record.getMessage() for record in caplog.records]
    assert f"rejects spans ({reason}); what it rejects is dropped; raise max_re" in line


def test_an_overload_without_a_retry_delay_is_not_bisected_for_each_batch() -> None:
    transport = Narrow("RESOURCE_EXHAUSTED", 0)
    delivery = deliver_to(transport)
    for _ in range(64):
        delivery.put("a")
    assert delivery.flush(SECONDS)
    assert delivery.counts.dropped == {"rejected": 64}
    assert transport.requests <= 64 + 6


class Narrow(FakeTransport):
    """Accepts requests up to ``limit`` bytes."""

    def __init__(self, reason: str, limit: int = 12) -> None:
        super().__init__()
        self.requests = 0
        self._refusal = Outcome(False, False, reason)
        self._limit = limit

    def send(self, items: Sequence[str], timeout: float) -> Outcome:
        self.requests += 1
        too_large = sum(map(len, items)) > self._limit
        return self._refusal if too_large else super().send(items, timeout)


def test_what_is_rejected_is_dropped_and_counted() -> None:
    transport = FakeTransport(REFUSED, max_request_bytes=1)
    delivery = deliver_to(transport)
    delivery.put("a")
    delivery.put("b")
    assert delivery.flush(SECONDS)
    assert transport.sent == [["b"]]
    assert delivery.counts.dropped == {"rejected": 1}


def test_beyond_the_limit_the_oldest_are_dropped_and_counted() -> None:
    transport = FakeTransport(AWAY)
    delivery = deliver_to(transport, max_bytes=30)
    delivery.put("a" * 10)
    delivery.flush(SECONDS)
    for item in ("b" * 10, "c" * 10, "d" * 15):
        delivery.put(item)
    assert delivery.flush(SECONDS)
    assert transport.sent == [["c" * 10, "d" * 15]]
    assert delivery.counts.dropped == {"queue_full": 2}


def test_what_is_being_sent_counts_against_the_limit() -> None:
    transport = FakeTransport(AWAY)
    delivery = deliver_to(transport, max_bytes=30)
    transport.before = lambda: delivery.put("b" * 20) if not transport.sent else None
    delivery.put("a" * 20)
    delivery.flush(SECONDS)
    assert delivery.waiting == 1  # of "a" and "b", 40 bytes, one was dropped
    assert delivery.counts.dropped == {"queue_full": 1}


def test_the_user_may_limit_the_number_of_items() -> None:
    transport = FakeTransport()
    delivery = deliver_to(transport, batching=Batching(3600, 1000, 2))
    for item in "abc":
        delivery.put(item)
    assert delivery.flush(SECONDS)
    assert transport.sent == [["b", "c"]]


def test_a_flush_ends_in_time_when_the_endpoint_hangs() -> None:
    transport, gate = FakeTransport(), threading.Event()
    transport.before = lambda: gate.wait(SECONDS)
    delivery = deliver_to(transport)
    delivery.put("a")
    assert delivery.flush(0.05) is False
    gate.set()
    assert delivery.flush(SECONDS) is True


def test_queueing_never_waits_for_the_endpoint() -> None:
    transport, gate = FakeTransport(max_request_bytes=1), threading.Event()
    transport.before = lambda: gate.wait(SECONDS)
    delivery = deliver_to(transport, batching=Batching(3600, 1, None))
    for item in "abcdef":
        delivery.put(item)  # would take six times SECONDS if it waited
    assert delivery.waiting == 6
    gate.set()
    assert delivery.flush(SECONDS)


def test_after_shutdown_items_are_dropped_and_counted() -> None:
    transport = FakeTransport()
    delivery = deliver_to(transport)
    delivery.put("a")
    deadline = time.monotonic() + SECONDS
    delivery.submit(lambda: delivery.close(deadline)).wait(deadline)
    delivery.put("b")
    assert transport.sent == [["a"]]
    assert delivery.counts.dropped == {"shutdown": 1}


def test_a_forked_child_starts_empty() -> None:
    transport = FakeTransport(AWAY)
    delivery = deliver_to(transport)
    delivery.put("a")
    delivery.flush(SECONDS)
    delivery.renew()
    delivery.put("b")
    assert delivery.flush(SECONDS)
    assert (transport.sent, transport.renewed) == ([["b"]], 1)


def test_an_inheriting_child_keeps_the_queue_and_the_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a parent that has no thread and sends nothing."""
    monkeypatch.setattr(workers, "_server", None)
    workers.expect_workers(is_worker=lambda: False, inherits_telemetry=lambda: True)
    transport = FakeTransport()
    delivery = deliver_to(transport, max_bytes=4)
    for item in ("a" * 2, "b" * 2, "c" * 2):
        delivery.put(item)
    known: tuple[Any, ...] = (2, {"queue_full": 1}, 0, {})

    def child() -> object:
        before = _counted(delivery)
        delivery.put("d")
        return before, delivery.flush(SECONDS), transport.sent

    expected = (known, True, [["c" * 2, "d"]])
    assert in_a_forked_child(child) == repr(expected)
    assert (_counted(delivery), transport.sent) == (known, [])


def test_a_forked_child_has_nothing_of_its_parents_but_the_transport() -> None:
    """Neither the queue and the counts, nor a thread, nor locks that other threads hold."""
    transport = FakeTransport(AWAY)
    delivery = deliver_to(transport, max_bytes=1)
    delivery.put("a" * 2)
    delivery.put("b")
    delivery.flush(SECONDS)
    delivery.status.undelivered["spans"] = 1
    assert _counted(delivery) == (1, {"queue_full": 1}, 1, {"spans": 1})
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with vars(delivery)["_lock"], vars(delivery.status)["_lock"]:
            held.set()
            done.wait(SECONDS)

    def child() -> object:
        before = _counted(delivery)
        delivery.put("c")
        return before, delivery.flush(SECONDS), transport.sent, _counted(delivery)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(SECONDS)
    nothing: tuple[Any, ...] = (0, {}, 0, {})
    assert in_a_forked_child(child, done.set) == repr((nothing, True, [["c"]], nothing))
    holder.join()
    assert _counted(delivery) == (1, {"queue_full": 1}, 1, {"spans": 1})


def _counted(delivery: Delivery[str]) -> tuple[Any, ...]:
    counts = delivery.counts
    return (
        delivery.waiting,
        dict(counts.dropped),
        counts.failures,
        dict(delivery.status.undelivered),
    )


@pytest.mark.parametrize("fault", [RuntimeError("planted-secret"), SystemExit(1)])
def test_a_transport_that_raises_drops_its_batch_and_no_other(
    fault: BaseException, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It may raise again, so its batch is not retried."""
    monkeypatch.setattr(errors, "foreign", type(errors.foreign)())
    transport = FakeTransport(max_request_bytes=1)
    delivery = deliver_to(transport)

    def fail() -> None:
        if not transport.sent:
            transport.before = lambda: None
            raise fault

    transport.before = fail
    for item in "abc":
        delivery.put(item)
    assert delivery.flush(SECONDS)
    assert transport.sent == [["b"], ["c"]]
    assert delivery.counts.dropped == {"failed": 1}
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("otel-agents: exporting spans failed in foreign code (")


@pytest.mark.parametrize("fault", [RuntimeError("planted-secret"), SystemExit(1)])
def test_an_item_that_makes_the_transport_raise_is_dropped_alone(
    fault: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One item may be the cause; the others of its batch are sent."""
    monkeypatch.setattr(errors, "foreign", type(errors.foreign)())

    class Choking(FakeTransport):
        def send(self, items: Sequence[str], timeout: float) -> Outcome:
            if "bad" in items:
                raise fault
            return super().send(items, timeout)

    transport = Choking()
    delivery = deliver_to(transport)
    for number in range(5):
        delivery.put("bad" if number == 2 else str(number))
    assert delivery.flush(SECONDS)
    assert [item for sent in transport.sent for item in sent] == ["0", "1", "3", "4"]
    assert delivery.counts.dropped == {"failed": 1}


def test_an_item_that_is_queued_while_another_is_queued_is_kept() -> None:
    """A destructor or a signal handler may end a span while another one is being queued."""
    transport = FakeTransport()
    interrupting = iter(["b", "c"])

    def size(item: str) -> int:
        for other in interrupting:
            with vars(delivery)["_lock"]:  # as if it came a little later
                delivery.put(other)
        return len(item)

    delivery = Delivery("spans", transport, EndpointStatus(transport.endpoint), size, NEVER, 10_000)
    putting = threading.Thread(target=delivery.put, args=("a",), daemon=True)
    putting.start()
    putting.join(SECONDS)
    assert not putting.is_alive()
    assert delivery.flush(SECONDS)
    assert sorted(transport.sent[0]) == ["a", "b", "c"]


def test_a_full_queue_is_logged_while_its_status_is_locked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The same on the thread that is logging: the lock is reentrant."""
    transport, done = FakeTransport(), threading.Event()
    delivery = deliver_to(transport, max_bytes=1)

    def overflow() -> None:
        with vars(delivery.status)["_lock"]:
            delivery.put("aa")
        done.set()

    threading.Thread(target=overflow, daemon=True).start()
    assert done.wait(SECONDS)
    assert "OTEL_AGENTS_QUEUE_MAX_BYTES" in caplog.text


def test_sizes_are_no_less_than_the_encoded_size() -> None:
    """Else a request that is split by estimate could be too large."""
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    values: dict[str, Any] = {
        "ascii": "x" * 5000,
        "accents": "é" * 3000 + "x" * 100,
        "chinese": "漢" * 3000,
        "emoji": "😀" * 2000,
        "numbers": list(range(300)),
        "texts": ["abc"] * 100,
        "flag": True,
        "float": 1.5,
    }
    for name, value in values.items():
        span = _span({name: value})
        size, encoded = span_size(span), encode_spans([span]).ByteSize()
        fixed = encode_spans([_span({})]).ByteSize()
        assert encoded - fixed <= size <= 4 * encoded, name


def _span(attributes: dict[str, Any]) -> ReadableSpan:
    span: Any = TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("name")
    span.set_attributes(attributes)
    span.add_event("event", {"key": "value"})
    span.end()
    return span


def test_bytes_are_human_readable() -> None:
    numbers = (12, 2048, 64 * 1024**2, 3 * 1024**3, 1536)
    assert [readable_bytes(number) for number in numbers] == [
        "12 bytes",
        "2 KiB",
        "64 MiB",
        "3 GiB",
        "1.5 KiB",
    ]


def test_drops_are_metrics_and_without_drops_there_is_none() -> None:
    """A process that drops nothing must not send a request for that."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    transport = FakeTransport(AWAY, REFUSED)
    delivery: Delivery[Any] = deliver_to(transport)
    measure(
        provider.get_meter("m"),
        {"spans": lambda: iter(delivery.counts.dropped.items())},
        lambda: iter([("traces", delivery.counts.failures)]),
    )
    assert reader.get_metrics_data() is None
    for _ in range(2):
        delivery.put("a")
        delivery.flush(SECONDS)
    assert _points(reader) == {
        ("otel_agents.export.failures", "{request}", "otel_agents.signal", "traces", 2),
        ("otel_agents.spans.dropped", "{span}", "otel_agents.reason", "rejected", 2),
    }


def _points(reader: InMemoryMetricReader) -> set[tuple[Any, ...]]:
    data: Any = reader.get_metrics_data()
    return {
        (metric.name, metric.unit, *next(iter(point.attributes.items())), point.value)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    }
