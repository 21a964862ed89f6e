"""Failures of a Collector or a backend drop nothing, or only what the documentation states."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from backends.application import Application
from backends.collector import Collector
from backends.jaeger import Jaeger
from backends.moto import Moto
from backends.program import Unavailable, wait_for
from faults import measured
from opentelemetry.trace import (
    StatusCode,
    format_span_id,
    format_trace_id,
    set_span_in_context,
)

REQUESTS = 80
SPANS = 50


def run(application: Application, names: list[str], *, fails: bool = False) -> str:
    """Send a trace with a span per name, in two requests, the root last; return its id."""
    tracer = application.tracer
    root = tracer.start_span(names[0])
    context = set_span_in_context(root)
    for name in names[1:]:
        tracer.start_span(name, context).end()
    application.flush()
    if fails:
        root.set_status(StatusCode.ERROR)
    root.end()
    application.flush()
    return format_trace_id(root.get_span_context().trace_id)


def names_in(jaeger: Jaeger, trace_id: str) -> list[str]:
    """Return the span names of a trace; none if it does not exist."""
    try:
        return sorted(span["name"] for span in jaeger.spans(trace_id))
    except Unavailable:
        return []


def test_every_span_arrives_though_the_collector_is_killed_and_the_backend_is_down(
    tmp_path: Path,
) -> None:
    jaeger = Jaeger()
    sent: set[str] = set()

    def load() -> None:
        for _ in range(REQUESTS):
            for _ in range(SPANS):
                span = application.tracer.start_span("work", context)
                sent.add(format_span_id(span.get_span_context().span_id))
                span.end()
            application.flush()

    with (
        Collector("jaeger", environ=jaeger.environ, state=tmp_path) as collector,
        Application(collector.endpoint) as application,
    ):
        root = application.tracer.start_span("load")
        context = set_span_in_context(root)
        thread = threading.Thread(target=load)
        thread.start()
        for part in (1, 2, 3):
            wait_for(lambda part=part: len(sent) > REQUESTS * SPANS * part / 4, "load", step=0.001)
            collector.kill()
            collector.start()
        thread.join()
        collector.kill()
        collector.start()
        trace_id = format_trace_id(root.get_span_context().trace_id)
        with jaeger:

            def arrived() -> set[str]:
                found = {str(span["spanId"]) for span in jaeger.spans(trace_id)}
                return found if len(found) >= REQUESTS * SPANS else set()

            found = wait_for(arrived, "every span", seconds=60)
    measured("collector-killed", sent=len(sent), arrived=len(found & sent))


def test_a_killed_gateway_drops_only_the_traces_that_wait_for_a_decision(
    jaeger: Jaeger, tmp_path: Path
) -> None:
    names = ["agent", "chat", "tool"]
    environ = {**jaeger.environ, "DECISION_WAIT": "3s", "SAMPLING_PERCENTAGE": "100"}
    with (
        Collector("gateway", environ=environ, state=tmp_path) as gateway,
        Application(gateway.endpoint) as application,
    ):
        decided = [run(application, names) for _ in range(10)]
        for trace_id in decided:
            wait_for(lambda id=trace_id: names_in(jaeger, id), "a decided trace")
        undecided = [run(application, names) for _ in range(10)]
        gateway.kill()
        gateway.start()
        after = [run(application, names) for _ in range(10)]
        for trace_id in after:
            wait_for(lambda id=trace_id: names_in(jaeger, id), "a trace after the restart")
        assert [names_in(jaeger, trace_id) for trace_id in (*decided, *after)] == [names] * 20
        found = [names_in(jaeger, trace_id) for trace_id in undecided]
    assert [] in found
    assert all(trace in ([], names) for trace in found)
    arrived = len(names) * (len(decided) + len(after) + found.count(names))
    measured("gateway-killed", sent=len(names) * 30, arrived=arrived)


def test_whole_traces_are_sampled_by_two_gateways_behind_a_load_balancer(jaeger: Jaeger) -> None:
    names = ["agent", *(f"step {number}" for number in range(9))]
    environ = {**jaeger.environ, "DECISION_WAIT": "3s", "SAMPLING_PERCENTAGE": "0"}
    with Collector("gateway", environ=environ) as one, Collector("gateway", environ=environ) as two:
        gateways = f"[{one.otlp_grpc}, {two.otlp_grpc}]"
        with (
            Collector("load-balancer", environ={"GATEWAYS": gateways}) as balancer,
            Application(balancer.endpoint) as application,
        ):
            runs = [(run(application, names, fails=bool(n % 2)), bool(n % 2)) for n in range(30)]
            kept = [trace_id for trace_id, fails in runs if fails]
            for trace_id in kept:
                wait_for(lambda id=trace_id: names_in(jaeger, id) == names, "a whole trace")
            assert [names_in(jaeger, id) for id, fails in runs if not fails] == [[]] * 15
        shares = [gateway.count("otelcol_receiver_accepted_spans") for gateway in (one, two)]
    assert sum(shares) == 30 * len(names)
    assert min(shares) > 0
    arrived = sum(len(names_in(jaeger, trace_id)) for trace_id in kept)
    measured("two-gateways", sent=len(kept) * len(names), arrived=arrived)


def test_every_span_arrives_though_xray_is_down(tmp_path: Path) -> None:
    moto = Moto()
    with (
        Collector("xray", environ=moto.environ, state=tmp_path) as collector,
        Application(collector.endpoint) as application,
    ):
        traces = [run(application, ["agent", "chat", "tool"]) for _ in range(5)]
        wait_for(lambda: "Exporting failed. Will retry" in collector.log, "a first try that failed")
        collector.kill()
        collector.start()
        with moto:
            for trace_id in traces:
                wait_for(lambda id=trace_id: len(moto.documents(id)) == 3, "a whole trace")
            arrived = sum(len(moto.documents(trace_id)) for trace_id in traces)
    measured("xray-away", sent=3 * len(traces), arrived=arrived)


class Refusal(BaseHTTPRequestHandler):
    """Responds as X-Ray does when it refuses a request."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(400)
        self.send_header("X-Amzn-ErrorType", "InvalidRequestException")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def refusing() -> Iterator[str]:
    """Start an X-Ray that refuses everything, and yield its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_what_xray_refuses_is_counted_and_not_tried_for_ever(refusing: str) -> None:
    with (
        Collector("xray", environ={"XRAY_ENDPOINT": refusing}) as collector,
        Application(collector.endpoint) as application,
    ):
        run(application, ["agent", "chat", "tool"])
        counted = ("otelcol_exporter_send_failed_spans", "otlp_grpc/xray")
        wait_for(lambda: collector.count(counted[0], exporter=counted[1]) == 3, "a count of three")
        assert collector.count("otelcol_exporter_queue_size", exporter=counted[1]) == 0
    measured("xray-refuses", sent=3, arrived=0)
