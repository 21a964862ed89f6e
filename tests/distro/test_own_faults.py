"""Our error in any function of the export: the application does not notice, and export goes on.

Each function of the exporting rooms raises in turn while an application works.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import os
import pkgutil
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any, NamedTuple, TextIO, cast

import pytest
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from otlp_receiver import Receiver

from otel_agents.distro.export.measures import measure
from otel_agents.distro.export.metrics import DESTINATION
from otel_agents.distro.export.pipeline import Pipeline
from otel_agents.distro.export.reader import DeliveringMetricReader
from otel_agents.distro.tree import TreeExporter
from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors.settings import Settings

ROOMS = ("export", "foreign", "otlp", "tree", "notices")
NEVER = "3600000"

ITSELF = ("export.worker:Worker._run", "export.worker:Worker.start", "export.worker:Job.wait")
"""What runs everything else on the thread, and what waits for it."""


class Spot(NamedTuple):
    """A function and its owner."""

    name: str
    owner: Any
    attribute: str


def spots() -> Iterator[Spot]:
    for room in ROOMS:
        package = importlib.import_module(f"otel_agents.distro.{room}")
        paths = getattr(package, "__path__", ())
        names = [f"{package.__name__}.{info.name}" for info in pkgutil.iter_modules(paths)]
        for module in (package, *map(importlib.import_module, names)):
            yield from _of(module, module, module.__name__.removeprefix("otel_agents.distro."))


def _of(owner: Any, module: ModuleType, path: str) -> Iterator[Spot]:
    join = ":" if owner is module else "."
    held: dict[str, Any] = dict(owner.__dict__)
    for name, value in held.items():
        function: object = value.fget if isinstance(value, property) else value
        if inspect.isclass(value) and value.__module__ == module.__name__ and owner is module:
            yield from _of(value, module, f"{path}:{name}")
        elif isinstance(function, FunctionType) and _written_in(function, module):
            yield Spot(f"{path}{join}{name}", owner, name)


def _written_in(function: FunctionType, module: ModuleType) -> bool:
    file = inspect.unwrap(function).__code__.co_filename  # it may be another path to the file
    return os.path.normpath(file) == module.__file__


SPOTS = {spot.name: spot for spot in spots() if spot.name not in ITSELF}


@contextmanager
def faulty(spot: Spot) -> Generator[list[None]]:
    """Have the function raise, inside its guard if it has one. Yield its calls."""
    value: Any = spot.owner.__dict__[spot.attribute]

    calls: list[None] = []

    def fail(*args: Any, **kwargs: Any) -> Any:
        calls.append(None)
        raise LookupError("planted-secret")

    names = getattr(getattr(value, "__code__", None), "co_freevars", ())
    if "function" in names and "internal_error" in value.__code__.co_names:
        cell = value.__closure__[names.index("function")]
        cell.cell_contents, before = fail, cell.cell_contents
        try:
            yield calls
        finally:
            cell.cell_contents = before
        return
    holders = [spot.owner]
    if isinstance(spot.owner, ModuleType):  # other modules have imported it by name
        modules = [it for name, it in sys.modules.items() if name.startswith("otel_agents.distro")]
        holders = [it for it in modules if vars(it).get(spot.attribute) is value]
    for holder in holders:
        setattr(holder, spot.attribute, property(fail) if isinstance(value, property) else fail)
    try:
        yield calls
    finally:
        for holder in holders:
            setattr(holder, spot.attribute, value)


class Application:
    """Sends all three signals to the endpoint of the environment and draws its traces."""

    def __init__(self) -> None:
        pipeline = Pipeline(Settings.read({"OTEL_AGENTS_EXIT_TIMEOUT": "1"}))
        self.tracers = TracerProvider(shutdown_on_exit=False)
        for processor in pipeline.span_processors():
            self.tracers.add_span_processor(processor)
        self.tracers.add_span_processor(SimpleSpanProcessor(TreeExporter(cast(TextIO, Nowhere()))))
        self.loggers = LoggerProvider(shutdown_on_exit=False)
        for log_processor in pipeline.log_processors():
            self.loggers.add_log_record_processor(log_processor)
        token = DESTINATION.set(pipeline.metric_destination())
        reader = DeliveringMetricReader()
        DESTINATION.reset(token)
        self.meters = MeterProvider([reader], shutdown_on_exit=False)
        measure(self.meters.get_meter("ours"), pipeline.dropped(), pipeline.failures)
        self.counter = self.meters.get_meter("app").create_counter("counted")

    def work(self, name: str, seconds: int = 30) -> str:
        """Record all three signals, some of which cannot be encoded."""
        with self.tracers.get_tracer("app").start_as_current_span(name):
            self.loggers.get_logger("app").emit(LogRecord(body={"said": name}))
            self.counter.add(1)
        foreign = {"gen_ai.prompt": "hi", "server.address": "http://h:1"}
        with self.tracers.get_tracer("litellm").start_as_current_span("chat", attributes=foreign):
            event = LogRecord(event_name="gen_ai.choice", body={"message": {"content": "hi"}})
            self.loggers.get_logger("litellm").emit(event)
        with self.tracers.get_tracer("app").start_as_current_span("half \ud800"):
            self.loggers.get_logger("app").emit(LogRecord(body=cast(Any, object())))
        self.flush(1000 * seconds)
        return name

    def flush(self, milliseconds: int) -> None:
        self.tracers.force_flush(milliseconds)
        self.loggers.force_flush(milliseconds)
        self.meters.force_flush(milliseconds)

    def end(self) -> None:
        self.tracers.shutdown()
        self.loggers.shutdown()
        self.meters.shutdown(1000)


class Nowhere:
    """A terminal that discards its output."""

    encoding = "ascii"

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None: ...


@pytest.fixture
def application(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Application, Receiver]]:
    monkeypatch.setattr(errors, "strict", False)
    monkeypatch.setattr(errors, "counts", type(errors.counts)())
    monkeypatch.setattr(errors, "foreign", type(errors.foreign)())
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", NEVER)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", NEVER)
    monkeypatch.setenv("OTEL_BLRP_SCHEDULE_DELAY", NEVER)
    with Receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
        yield Application(), receiver


@pytest.mark.parametrize("name", SPOTS)
def test_the_application_does_not_notice_and_export_goes_on(
    name: str,
    application: tuple[Application, Receiver],
    caplog: pytest.LogCaptureFixture,
) -> None:
    it, receiver = application
    caplog.set_level(logging.WARNING)
    with faulty(SPOTS[name]):
        assert it.work("meanwhile", 1) == "meanwhile"  # some faults leave a flush waiting
    assert it.work("later") == "later"
    assert "later" in receiver.span_names
    assert {"later", "meanwhile"} & {_text(body) for body in _bodies(receiver)} >= {"later"}
    assert "counted" in receiver.metric_names
    with faulty(SPOTS[name]):
        it.end()
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == len(set(lines)), "what fails is logged once"
    assert lines, "at least what cannot be encoded is logged"
    assert all(record.name == "otel_agents" for record in caplog.records)
    # Only the text of an exception about an exporter that cannot be created is logged: a setting.
    assert "planted-secret" not in caplog.text.replace("(LookupError: planted-secret)", "")


def _bodies(receiver: Receiver) -> list[Any]:
    return [
        record.body
        for path, request in list(receiver.requests)
        if path == "/v1/logs"
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


def _text(body: Any) -> str:
    return "".join(pair.value.string_value for pair in body.kvlist_value.values)


REACHED = (
    *("export.spans:DeliveringSpanProcessor.on_end", "export.logs:DeliveringLogProcessor.on_emit"),
    *(
        "export.delivery:Delivery._send_one",
        "export.worker:Worker._run_one",
        "export.points:filter_points",
    ),
    *("foreign.telemetry:ForeignTelemetry.span", "foreign.passage:Passage.body"),
    *("foreign.names:Looked.__missing__", "foreign.repairs:_split_address"),
    *("otlp.transport:OtlpTransport.send", "tree:TreeExporter.export"),
)


@pytest.mark.parametrize("name", REACHED)
def test_the_faults_are_reached(name: str, application: tuple[Application, Receiver]) -> None:
    """Else the test above would prove nothing."""
    it, _ = application
    with faulty(SPOTS[name]) as calls:
        it.work("meanwhile", 5)
    assert calls
    assert errors.counts or errors.foreign
