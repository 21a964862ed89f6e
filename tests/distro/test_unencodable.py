"""What OTLP cannot encode is dropped alone: counted, logged once, and all else arrives."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any

import pytest
from forked import in_a_forked_child
from grpc_receiver import receiving_spans
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Link, Span, Status, StatusCode, Tracer
from otlp_receiver import Receiver

from otel_agents.distro.export import sizes
from otel_agents.distro.export.metrics import DESTINATION, DeferredMetricExporter
from otel_agents.distro.export.pipeline import Pipeline
from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors.settings import Settings

HALF = "planted-secret \ud800"
"""A lone surrogate: JSON may contain one, UTF-8 cannot."""
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


VARIABLES = MappingProxyType(
    {
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "64",
        "OTEL_BSP_SCHEDULE_DELAY": "3600000",
        "OTEL_BLRP_SCHEDULE_DELAY": "3600000",
    }
)


class Application:
    """Sends 64 items in a request, to the endpoint of the environment."""

    def __init__(self, resource: Resource | None = None) -> None:
        self.pipeline = Pipeline(Settings.read({}))
        resource = resource or Resource({})
        self.tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
        for span_processor in self.pipeline.span_processors():
            self.tracers.add_span_processor(span_processor)
        self.loggers = LoggerProvider(resource=resource, shutdown_on_exit=False)
        for log_processor in self.pipeline.log_processors():
            self.loggers.add_log_record_processor(log_processor)
        token = DESTINATION.set(self.pipeline.metric_destination())
        self.exporter = DeferredMetricExporter()
        DESTINATION.reset(token)
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader], resource=resource, shutdown_on_exit=False)

    @property
    def tracer(self) -> Tracer:
        return self.tracers.get_tracer("app")

    def log(self, body: Any) -> None:
        self.loggers.get_logger("app").emit(LogRecord(body=body))

    def export_metrics(self) -> MetricExportResult:
        data = self.reader.get_metrics_data()
        assert data is not None
        return self.exporter.export(data)

    def dropped(self) -> dict[str, dict[str, int]]:
        counted = {items: dict(counts()) for items, counts in self.pipeline.dropped().items()}
        return {
            items: {reason: number for reason, number in counts.items() if number}
            for items, counts in counted.items()
        }


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver() as receiver:
        # The exporters read the endpoint from there too.
        for name, value in {**VARIABLES, ENDPOINT: receiver.endpoint}.items():
            monkeypatch.setenv(name, value)
        yield receiver


@pytest.fixture
def application(receiver: Receiver) -> Application:
    return Application()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """Return our log lines; exporters may log nothing, and no line may have the secret."""
    caplog.set_level(logging.WARNING)

    def lines() -> list[str]:
        return [it.getMessage() for it in caplog.records if it.name == "otel_agents"]

    yield lines
    others = [it for it in caplog.records if it.name.startswith("opentelemetry.exporter")]
    assert [it.getMessage() for it in others] == []
    assert "planted-secret" not in caplog.text


def dropped_line(item: str, reason: str) -> str:
    """The log line about a dropped item."""
    return (
        f"otel-agents: {item} of the scope 'app' cannot be encoded ({reason}) and is dropped; "
        "the others are sent; further drops are counted and not logged"
    )


def named(tracer: Tracer) -> None:
    tracer.start_span(HALF).end()


def with_bad_event(tracer: Tracer) -> None:
    span = tracer.start_span("bad")
    span.add_event(HALF)
    span.end()


def described(tracer: Tracer) -> None:
    span = tracer.start_span("bad")
    span.set_status(Status(StatusCode.ERROR, HALF))
    span.end()


def started_before_epoch(tracer: Tracer) -> None:
    tracer.start_span("bad", start_time=-1).end()


WHOLE = (named, with_bad_event, described, started_before_epoch)
SURROGATE = "a string contains a lone surrogate"


@pytest.mark.parametrize("bad", WHOLE)
def test_a_span_that_cannot_be_encoded_is_dropped_alone(
    bad: Callable[[Tracer], None],
    application: Application,
    receiver: Receiver,
    logged: Callable[[], list[str]],
) -> None:
    names = [f"good {number:02}" for number in range(50)]
    for number, name in enumerate(names):
        application.tracer.start_span(name).end()
        if number in (0, 17, 18, 49):
            bad(application.tracer)
    assert application.tracers.force_flush()
    assert receiver.span_names == names
    assert receiver.unique_spans == len(receiver.spans)
    assert application.dropped() == {
        "spans": {"unencodable": 4},
        "log records": {},
        "points": {},
    }
    reason = "a value is out of range" if bad is started_before_epoch else SURROGATE
    assert logged() == [dropped_line("a span", reason)]


def test_bisecting_takes_few_requests(application: Application, receiver: Receiver) -> None:
    """Each half is sent again; no good item is sent alone because of a bad one."""
    for number in range(64):
        application.tracer.start_span(HALF if number == 40 else f"good {number}").end()
    assert application.tracers.force_flush()
    assert len(receiver.spans) == 63
    assert len(receiver.requests) <= 8


def test_if_nothing_can_be_encoded_no_request_is_sent(
    application: Application, receiver: Receiver
) -> None:
    for _ in range(100):
        named(application.tracer)
    assert application.tracers.force_flush()
    assert receiver.requests == []
    assert application.dropped()["spans"] == {"unencodable": 100}


def with_attribute(key: str, value: Any) -> Callable[[Tracer], Span]:
    def begin(tracer: Tracer) -> Span:
        return tracer.start_span("kept", attributes={"good": "g", key: value})

    return begin


def with_event(tracer: Tracer) -> Span:
    span = tracer.start_span("kept", attributes={"good": "g"})
    span.add_event("event", {"bad": HALF, HALF: "x"})
    return span


def with_link(tracer: Tracer) -> Span:
    other = tracer.start_span("never ended").get_span_context()
    return tracer.start_span("kept", attributes={"good": "g"}, links=[Link(other, {"bad": HALF})])


PARTS = MappingProxyType(
    {
        "value": (with_attribute("bad", HALF), SURROGATE),
        "element": (with_attribute("bad", ["a", HALF]), SURROGATE),
        "key": (with_attribute(HALF, "x"), SURROGATE),
        "number": (with_attribute("bad", 2**70), "a value is out of range"),
        "event": (with_event, SURROGATE),
        "link": (with_link, SURROGATE),
    }
)


@pytest.mark.parametrize("part", PARTS)
def test_a_span_is_sent_without_the_attribute(
    part: str, application: Application, receiver: Receiver, logged: Callable[[], list[str]]
) -> None:
    begin, reason = PARTS[part]
    for _ in range(2):
        begin(application.tracer).end()
        assert application.tracers.force_flush()
    assert receiver.span_names == ["kept", "kept"]
    assert [attributes(span) for span in receiver.spans] == [{"good": "g"}] * 2
    assert application.dropped()["spans"] == {}
    assert logged() == [
        f"otel-agents: an attribute of spans cannot be encoded ({reason}); such attributes are dropped"
    ]


def test_a_resource_is_sent_without_the_attribute(
    receiver: Receiver, logged: Callable[[], list[str]]
) -> None:
    application = Application(Resource({"service.name": "s", "bad": HALF}))
    application.tracer.start_span("kept").end()
    application.meters.get_meter("app").create_counter("kept").add(1)
    assert application.tracers.force_flush()
    assert application.export_metrics() is MetricExportResult.SUCCESS
    assert receiver.resources == [{"service.name": "s"}]
    assert receiver.metric_names == {"kept"}
    reason = f"cannot be encoded ({SURROGATE}); such attributes are dropped"
    assert logged() == [
        f"otel-agents: an attribute of spans {reason}",
        f"otel-agents: an attribute of metrics {reason}",
    ]


def test_a_scope_that_cannot_be_encoded_is_dropped_alone(
    application: Application, receiver: Receiver, logged: Callable[[], list[str]]
) -> None:
    for number in range(5):
        application.tracers.get_tracer(HALF.removeprefix("planted-secret ")).start_span("bad").end()
        application.tracer.start_span(f"good {number}").end()
    assert application.tracers.force_flush()
    assert receiver.span_names == [f"good {number}" for number in range(5)]
    assert application.dropped()["spans"] == {"unencodable": 5}
    (line,) = logged()
    assert line.startswith(r"otel-agents: a span of the scope '\ud800' cannot be encoded (")


class Unspeakable:
    """A name that raises when it is converted to a string."""

    def __repr__(self) -> str:
        raise RuntimeError("planted-secret")


class Mute(str):
    """A text of a kind of its own, which fails to tell itself."""

    def __repr__(self) -> str:
        raise SystemExit("planted-secret")


@pytest.mark.parametrize(
    ("name", "shown"),
    [(Unspeakable(), "<Unspeakable>"), (Mute("a \ud800"), r"'a \ud800'")],
    ids=["object", "text"],
)
def test_a_scope_with_an_unreadable_name_is_dropped_alone(
    name: Any,
    shown: str,
    application: Application,
    receiver: Receiver,
    logged: Callable[[], list[str]],
) -> None:
    for scope in ("app", name, "app"):
        application.tracers.get_tracer(scope).start_span("a").end()
    assert application.tracers.force_flush()
    assert receiver.span_names == ["a", "a"]
    assert application.dropped()["spans"] == {"unencodable": 1}
    (line,) = logged()
    assert line.startswith(f"otel-agents: a span of the scope {shown} cannot be encoded (")


class Leaving:
    """A value that exits when it is converted to a string."""

    def __str__(self) -> str:
        raise SystemExit("planted-secret")


def test_a_body_that_exits_while_it_is_encoded_is_dropped_alone(
    application: Application,
    receiver: Receiver,
    logged: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(errors, "foreign", type(errors.foreign)())
    for body in ("a", "b", {"x": Leaving()}, "c", "d"):
        application.log(body)
    assert application.loggers.force_flush()
    assert receiver.log_bodies == ["a", "b", "c", "d"]
    assert application.dropped()["log records"] == {"failed": 1}
    (line,) = logged()
    assert line.startswith("otel-agents: exporting log records failed in foreign code (")


class Unreadable(Exception):
    """An error that raises when its cause is read."""

    @property
    def original_exception(self) -> Any:
        raise RuntimeError("planted-secret")


def test_an_unreadable_error_is_logged_by_its_type(
    application: Application, receiver: Receiver, logged: Callable[[], list[str]]
) -> None:
    class Raises(dict[str, Any]):
        def items(self) -> Any:
            raise Unreadable

    application.log(Raises(a=1))
    application.log("good")
    assert application.loggers.force_flush()
    assert receiver.log_bodies == ["good"]
    assert logged() == [dropped_line("a log record", "Unreadable")]


class Odd:
    """A type that OTLP does not support."""


def cycle() -> dict[str, Any]:
    body: dict[str, Any] = {}
    body["me"] = [body]
    return body


def deep(depth: int) -> Any:
    body: Any = "x"
    for _ in range(depth):
        body = [body]
    return body


def shared(doublings: int) -> Any:
    """Few objects, but more values than memory can hold."""
    body: Any = ["x"]
    for _ in range(doublings):
        body = [body, body]
    return body


class Raising(dict[str, Any]):
    """A lazy mapping whose source is gone."""

    def items(self) -> Any:
        raise ConnectionError


UNFIT: MappingProxyType[str, tuple[Any, str]] = MappingProxyType(
    {
        "surrogate": (HALF, SURROGATE),
        "object": ({"x": Odd()}, "a value has a type that OTLP does not support"),
        "number": ([2**70], "a value is out of range"),
        "cycle": (cycle(), "it has too many values or is cyclic"),
        "deep": (deep(5000), "it is cyclic or nested too deeply"),
        "deeper": (deep(sizes.MAX_VALUES + 1), "it has too many values or is cyclic"),
        "huge": (range(10**12), "it has too many values or is cyclic"),
        "shared": (shared(50), "it has too many values or is cyclic"),
        "raising": (Raising(a=1), "ConnectionError"),
    }
)


@pytest.mark.parametrize("kind", UNFIT)
def test_a_log_record_that_cannot_be_encoded_is_dropped_alone(
    kind: str, application: Application, receiver: Receiver, logged: Callable[[], list[str]]
) -> None:
    """And the application's call that emits it returns as usual."""
    body, reason = UNFIT[kind]
    for number in range(3):
        application.log(f"good {number}")
        application.log(body)
    assert application.loggers.force_flush()
    assert receiver.log_bodies == [f"good {number}" for number in range(3)]
    assert application.dropped() == {
        "spans": {},
        "log records": {"unencodable": 3},
        "points": {},
    }
    assert logged() == [dropped_line("a log record", reason)]


FIT: MappingProxyType[str, tuple[Any, str]] = MappingProxyType(
    {
        "number as key": ({1: "x"}, "kvlist_value"),
        "tuple as key": ({(1, 2): "x"}, "kvlist_value"),
        "bytes": (b"\xff\x00", "bytes_value"),
        "mixed": ([1, 2.5, True, "x", b"y", {"z": [{}]}], "array_value"),
        "nothing": ({}, "kvlist_value"),
        "large": (["x"] * 50_000, "array_value"),
    }
)


@pytest.mark.parametrize("kind", FIT)
def test_a_structured_body_arrives(kind: str, application: Application, receiver: Receiver) -> None:
    body, field = FIT[kind]
    application.log(body)
    assert application.loggers.force_flush()
    ((_, request),) = receiver.requests
    (record,) = request.resource_logs[0].scope_logs[0].log_records
    assert record.body.WhichOneof("value") == field
    assert sizes.log_size(_Data(body)) >= record.body.ByteSize()


class _Data:
    """What `log_size` reads of a log record."""

    def __init__(self, body: Any) -> None:
        self.log_record = LogRecord(body=body)


def test_a_body_is_examined_up_to_a_limit() -> None:
    looked = 0

    class Counting(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            nonlocal looked
            for item in super().__iter__():
                looked += 1
                yield item

    with pytest.raises(sizes.TooManyValuesError):
        sizes.log_size(_Data(Counting([1] * 10 * sizes.MAX_VALUES)))
    assert looked == sizes.MAX_VALUES + 1


def test_a_point_that_cannot_be_encoded_is_dropped_in_each_export(
    application: Application, receiver: Receiver, logged: Callable[[], list[str]]
) -> None:
    meter = application.meters.get_meter("app")
    counter, histogram = meter.create_counter("counted"), meter.create_histogram("measured")
    for attributes_ in ({"a": "1"}, {"a": HALF}, {HALF: "1"}, {}):
        counter.add(1, attributes_)
    counter.add(2**70, {"a": "too large"})
    histogram.record(1.5, {"a": "1"})
    meter.create_counter("large").add(2**70)
    for _ in range(2):
        assert application.export_metrics() is MetricExportResult.SUCCESS
    arrived = [points(request) for _, request in receiver.requests]
    assert arrived == [[("counted", {"a": "1"}), ("counted", {}), ("measured", {"a": "1"})]] * 2
    assert application.dropped() == {
        "spans": {},
        "log records": {},
        "points": {"unencodable": 8},
    }
    assert application.exporter.failures == 0
    (line,) = logged()
    assert line.startswith("otel-agents: a point of the metric 'large' cannot be encoded (a value")


def test_a_forked_child_has_none_of_its_parents_counts_of_metrics(
    application: Application, receiver: Receiver
) -> None:
    exporter = application.exporter
    exporter.failures, exporter.unencodable, exporter.sending, exporter.deadline = 3, 2, True, 1.0

    def child() -> object:
        return exporter.failures, exporter.unencodable, exporter.sending, exporter.deadline

    assert in_a_forked_child(child) == repr((0, 0, False, None))


def test_if_no_point_can_be_encoded_nothing_is_sent(
    application: Application, receiver: Receiver
) -> None:
    application.meters.get_meter("app").create_counter("large").add(2**70)
    assert application.export_metrics() is MetricExportResult.SUCCESS
    assert receiver.requests == []


def test_over_grpc_it_is_dropped_alone_as_well(
    monkeypatch: pytest.MonkeyPatch, logged: Callable[[], list[str]]
) -> None:
    """There every version of the exporter raises, and our stub sees no request."""
    with receiving_spans() as (endpoint, received):
        for name, value in {**VARIABLES, ENDPOINT: endpoint}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        application = Application()
        for name in ("before", HALF, "after"):
            application.tracer.start_span(name).end()
        assert application.tracers.force_flush()
    assert received == ["before", "after"]
    assert len(logged()) == 1


def test_a_retryable_batch_waits_though_one_item_cannot_be_encoded(
    application: Application, receiver: Receiver
) -> None:
    """Whatever fails first: what can be encoded is kept and sent later."""
    receiver.status = 503
    for name in ("a", HALF, "b"):
        application.tracer.start_span(name).end()
    assert not application.tracers.force_flush()
    (delivery,) = application.pipeline.deliveries["traces"]
    assert delivery.waiting == 3
    receiver.status = 200
    assert application.tracers.force_flush()
    assert receiver.span_names == ["a", "b"]


def attributes(item: Any) -> dict[str, str]:
    return {pair.key: pair.value.string_value for pair in item.attributes}


def points(request: Any) -> list[tuple[str, dict[str, str]]]:
    """The points of a request by metric and attributes."""
    return [
        (metric.name, attributes(point))
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in (*metric.sum.data_points, *metric.histogram.data_points)
    ]
