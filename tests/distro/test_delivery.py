"""The queue before the endpoint: bounded, oldest first, nothing encoded, nobody blocked."""

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
from otel_agents.distro.export.outage import Place
from otel_agents.distro.export.sizes import span_size
from otel_agents.distro.notices import readable_bytes
from otel_agents.distro.otlp.outcome import DELIVERED, Outcome
from otel_agents.instrumentors._core import errors, workers

AWAY = Outcome(False, True, "connection refused")
REFUSED = Outcome(False, False, "HTTP 400")
PATIENT = Batching(delay=3600, max_items=1000, max_queued=None)
SECONDS = 10.0


class Endpoint:
    """Answers as it is told, DELIVERED after that; keeps what it was sent."""

    where = "http://collector"

    def __init__(self, *answers: Outcome, max_request_bytes: int = 1000) -> None:
        self.max_request_bytes = max_request_bytes
        self.sent: list[list[str]] = []
        self.renewed = 0
        self.tried = threading.Semaphore(0)
        self.before: Callable[[], object] = lambda: None
        self._answers = list(answers)

    def send(self, items: Sequence[str], timeout: float) -> Outcome:
        self.before()
        answer = self._answers.pop(0) if self._answers else DELIVERED
        if answer.delivered:
            self.sent.append(list(items))
        self.tried.release()
        return answer

    def renew(self) -> None:
        self.renewed += 1

    def close(self) -> None: ...


def delivery(
    endpoint: Endpoint, *, batching: Batching = PATIENT, max_bytes: int = 10_000
) -> Delivery[str]:
    return Delivery("spans", endpoint, Place(endpoint.where), len, batching, max_bytes)


def test_a_request_stays_below_the_limit_and_what_is_larger_goes_alone() -> None:
    endpoint = Endpoint(max_request_bytes=10)
    way = delivery(endpoint)
    for item in ("aaaa", "bbbb", "cccc", "d" * 25, "ee"):
        way.put(item)
    assert way.flush(SECONDS)
    assert endpoint.sent == [["aaaa", "bbbb"], ["cccc"], ["d" * 25], ["ee"]]


def test_a_request_has_no_more_items_than_asked() -> None:
    endpoint = Endpoint()
    way = delivery(endpoint, batching=Batching(3600, 2, None))
    for item in "abc":
        way.put(item)
    assert way.flush(SECONDS)
    assert endpoint.sent == [["a", "b"], ["c"]]


def test_a_full_batch_is_sent_without_waiting_for_the_interval() -> None:
    endpoint = Endpoint()
    way = delivery(endpoint, batching=Batching(3600, 2, None))
    way.put("a")
    way.put("b")
    assert endpoint.tried.acquire(timeout=SECONDS)
    assert endpoint.sent == [["a", "b"]]


def test_what_failed_and_may_pass_stays_at_the_head_until_it_is_delivered() -> None:
    endpoint = Endpoint(AWAY)
    way = delivery(endpoint)
    way.put("aa")
    way.put("bb")
    endpoint.max_request_bytes = 2
    assert not way.flush(SECONDS)
    assert (way.waiting, endpoint.sent) == (2, [])
    way.put("cc")
    assert way.flush(SECONDS)
    assert endpoint.sent == [["aa"], ["bb"], ["cc"]]
    assert way.losses.dropped == {}


def test_a_batch_that_came_back_keeps_its_order() -> None:
    endpoint = Endpoint(AWAY)
    way = delivery(endpoint)
    for item in "abc":
        way.put(item)
    way.flush(SECONDS)
    way.put("d")
    assert way.flush(SECONDS)
    assert endpoint.sent == [["a", "b", "c", "d"]]


def test_one_failure_ends_the_round() -> None:
    """Eight requests to an endpoint that hangs must not wait eight times."""
    endpoint = Endpoint(*[AWAY] * 8)
    way = delivery(endpoint)
    for item in "abcdefgh":
        way.put(item)
    endpoint.max_request_bytes = 1
    way.flush(SECONDS)
    assert endpoint.tried.acquire(blocking=False)
    assert not endpoint.tried.acquire(blocking=False)


@pytest.mark.parametrize("reason", ["RESOURCE_EXHAUSTED", "HTTP 413"])
def test_a_request_that_is_too_large_is_halved_until_what_is_too_large_is_alone(
    reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = Narrow(reason)
    way = delivery(endpoint)
    small = [char * 4 for char in "abcdefgh"]
    for item in (*small[:4], "x" * 50, *small[4:]):
        way.put(item)
    assert way.flush(SECONDS)
    assert [item for batch in endpoint.sent for item in batch] == small
    assert way.losses.dropped == {"rejected": 1}
    (line,) = [record.getMessage() for record in caplog.records]
    assert f"does not accept spans ({reason}); what it refuses is dropped; raise max_re" in line


def test_an_overload_that_does_not_say_when_to_come_again_is_not_asked_in_halves_for_each() -> None:
    endpoint = Narrow("RESOURCE_EXHAUSTED", 0)
    way = delivery(endpoint)
    for _ in range(64):
        way.put("a")
    assert way.flush(SECONDS)
    assert way.losses.dropped == {"rejected": 64}
    assert endpoint.asked <= 64 + 6


class Narrow(Endpoint):
    """Takes requests up to ``most`` bytes."""

    def __init__(self, reason: str, most: int = 12) -> None:
        super().__init__()
        self.asked = 0
        self._refusal = Outcome(False, False, reason)
        self._most = most

    def send(self, items: Sequence[str], timeout: float) -> Outcome:
        self.asked += 1
        too_large = sum(map(len, items)) > self._most
        return self._refusal if too_large else super().send(items, timeout)


def test_what_is_refused_for_good_is_dropped_and_counted() -> None:
    endpoint = Endpoint(REFUSED, max_request_bytes=1)
    way = delivery(endpoint)
    way.put("a")
    way.put("b")
    assert way.flush(SECONDS)
    assert endpoint.sent == [["b"]]
    assert way.losses.dropped == {"rejected": 1}


def test_beyond_the_bound_the_oldest_go_and_are_counted() -> None:
    endpoint = Endpoint(AWAY)
    way = delivery(endpoint, max_bytes=30)
    way.put("a" * 10)
    way.flush(SECONDS)
    for item in ("b" * 10, "c" * 10, "d" * 15):
        way.put(item)
    assert way.flush(SECONDS)
    assert endpoint.sent == [["c" * 10, "d" * 15]]
    assert way.losses.dropped == {"queue_full": 2}


def test_what_is_being_sent_counts_against_the_bound() -> None:
    endpoint = Endpoint(AWAY)
    way = delivery(endpoint, max_bytes=30)
    endpoint.before = lambda: way.put("b" * 20) if not endpoint.sent else None
    way.put("a" * 20)
    way.flush(SECONDS)
    assert way.waiting == 1  # of "a" and "b", 40 bytes, one had to go
    assert way.losses.dropped == {"queue_full": 1}


def test_a_bound_on_the_number_is_the_users_to_set() -> None:
    endpoint = Endpoint()
    way = delivery(endpoint, batching=Batching(3600, 1000, 2))
    for item in "abc":
        way.put(item)
    assert way.flush(SECONDS)
    assert endpoint.sent == [["b", "c"]]


def test_flushing_ends_in_time_when_the_endpoint_hangs() -> None:
    endpoint, gate = Endpoint(), threading.Event()
    endpoint.before = lambda: gate.wait(SECONDS)
    way = delivery(endpoint)
    way.put("a")
    assert way.flush(0.05) is False
    gate.set()
    assert way.flush(SECONDS) is True


def test_handing_over_never_waits_for_the_endpoint() -> None:
    endpoint, gate = Endpoint(max_request_bytes=1), threading.Event()
    endpoint.before = lambda: gate.wait(SECONDS)
    way = delivery(endpoint, batching=Batching(3600, 1, None))
    for item in "abcdef":
        way.put(item)  # would take 60 s
    assert way.waiting == 6
    gate.set()
    assert way.flush(SECONDS)


def test_after_the_end_nothing_is_taken_and_it_is_counted() -> None:
    endpoint = Endpoint()
    way = delivery(endpoint)
    way.put("a")
    deadline = time.monotonic() + SECONDS
    way.hand(lambda: way.close(deadline)).wait(deadline)
    way.put("b")
    assert endpoint.sent == [["a"]]
    assert way.losses.dropped == {"shutdown": 1}


def test_a_forked_child_begins_empty() -> None:
    endpoint = Endpoint(AWAY)
    way = delivery(endpoint)
    way.put("a")
    way.flush(SECONDS)
    way.renew()
    way.put("b")
    assert way.flush(SECONDS)
    assert (endpoint.sent, endpoint.renewed) == ([["b"]], 1)


def test_the_heir_goes_on_with_what_waits_and_what_was_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a parent that has no thread, and sends nothing."""
    monkeypatch.setattr(workers, "_server", None)
    workers.expect_workers(is_worker=lambda: False, is_heir=lambda: True)
    endpoint = Endpoint()
    way = delivery(endpoint, max_bytes=4)
    for item in ("a" * 2, "b" * 2, "c" * 2):
        way.put(item)
    known: tuple[Any, ...] = (2, {"queue_full": 1}, 0, {})

    def child() -> object:
        before = _counted(way)
        way.put("d")
        return before, way.flush(SECONDS), endpoint.sent

    told = (known, True, [["c" * 2, "d"]])
    assert in_a_forked_child(child) == repr(told)
    assert (_counted(way), endpoint.sent) == (known, [])


def test_a_forked_child_has_nothing_of_its_parents_but_the_way() -> None:
    """Neither what waits and what was counted, nor a thread, nor locks that others hold."""
    endpoint = Endpoint(AWAY)
    way = delivery(endpoint, max_bytes=1)
    way.put("a" * 2)
    way.put("b")
    way.flush(SECONDS)
    way.place.lost["spans"] = 1
    assert _counted(way) == (1, {"queue_full": 1}, 1, {"spans": 1})
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with vars(way)["_lock"], vars(way.place)["_lock"]:
            held.set()
            over.wait(SECONDS)

    def child() -> object:
        before = _counted(way)
        way.put("c")
        return before, way.flush(SECONDS), endpoint.sent, _counted(way)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(SECONDS)
    nothing: tuple[Any, ...] = (0, {}, 0, {})
    assert in_a_forked_child(child, over.set) == repr((nothing, True, [["c"]], nothing))
    holder.join()
    assert _counted(way) == (1, {"queue_full": 1}, 1, {"spans": 1})


def _counted(way: Delivery[str]) -> tuple[Any, ...]:
    losses = way.losses
    return way.waiting, dict(losses.dropped), losses.failures, dict(way.place.lost)


@pytest.mark.parametrize("fault", [RuntimeError("planted-secret"), SystemExit(1)])
def test_an_outlet_that_raises_loses_its_batch_and_no_other(
    fault: BaseException, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing says that it would not raise the next time: it may not hold the queue up."""
    monkeypatch.setattr(errors, "foreign", type(errors.foreign)())
    endpoint = Endpoint(max_request_bytes=1)
    way = delivery(endpoint)

    def fail() -> None:
        if not endpoint.sent:
            endpoint.before = lambda: None
            raise fault

    endpoint.before = fail
    for item in "abc":
        way.put(item)
    assert way.flush(SECONDS)
    assert endpoint.sent == [["b"], ["c"]]
    assert way.losses.dropped == {"failed": 1}
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("otel-agents: exporting spans failed in foreign code (")


@pytest.mark.parametrize("fault", [RuntimeError("planted-secret"), SystemExit(1)])
def test_what_makes_an_outlet_raise_is_lost_alone(
    fault: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One item may be the cause of it; the others of its batch are sent."""
    monkeypatch.setattr(errors, "foreign", type(errors.foreign)())

    class Choking(Endpoint):
        def send(self, items: Sequence[str], timeout: float) -> Outcome:
            if "bad" in items:
                raise fault
            return super().send(items, timeout)

    endpoint = Choking()
    way = delivery(endpoint)
    for number in range(5):
        way.put("bad" if number == 2 else str(number))
    assert way.flush(SECONDS)
    assert [item for sent in endpoint.sent for item in sent] == ["0", "1", "3", "4"]
    assert way.losses.dropped == {"failed": 1}


def test_what_is_handed_over_within_handing_over_is_taken() -> None:
    """A destructor or a signal handler ends a span wherever another one is being taken."""
    endpoint = Endpoint()
    interrupting = iter(["b", "c"])

    def size(item: str) -> int:
        for other in interrupting:
            with vars(way)["_lock"]:  # as where it comes a little later
                way.put(other)
        return len(item)

    way = Delivery("spans", endpoint, Place(endpoint.where), size, PATIENT, 10_000)
    putting = threading.Thread(target=way.put, args=("a",), daemon=True)
    putting.start()
    putting.join(SECONDS)
    assert not putting.is_alive()
    assert way.flush(SECONDS)
    assert sorted(endpoint.sent[0]) == ["a", "b", "c"]


def test_a_full_queue_is_told_where_its_place_is_speaking(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The same, on the thread that speaks: its lock is its own."""
    endpoint, done = Endpoint(), threading.Event()
    way = delivery(endpoint, max_bytes=1)

    def overflow() -> None:
        with vars(way.place)["_lock"]:
            way.put("aa")
        done.set()

    threading.Thread(target=overflow, daemon=True).start()
    assert done.wait(SECONDS)
    assert "OTEL_AGENTS_QUEUE_MAX_BYTES" in caplog.text


def test_sizes_are_no_less_than_what_is_encoded() -> None:
    """Else a request that was split by estimate would be too large."""
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


def test_bytes_are_written_for_people() -> None:
    numbers = (12, 2048, 64 * 1024**2, 3 * 1024**3, 1536)
    assert [readable_bytes(number) for number in numbers] == [
        "12 bytes",
        "2 KiB",
        "64 MiB",
        "3 GiB",
        "1.5 KiB",
    ]


def test_losses_are_metrics_and_without_losses_there_is_none() -> None:
    """A process that loses nothing must not send a request to say so."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    endpoint = Endpoint(AWAY, REFUSED)
    way: Delivery[Any] = delivery(endpoint)
    measure(
        provider.get_meter("m"),
        {"spans": lambda: iter(way.losses.dropped.items())},
        lambda: iter([("traces", way.losses.failures)]),
    )
    assert reader.get_metrics_data() is None
    for _ in range(2):
        way.put("a")
        way.flush(SECONDS)
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
