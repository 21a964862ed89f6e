"""Load: agents' traces through the gateway to Jaeger at the accepted rate, counted in Jaeger.

make load                           # 100,000 traces, ten minutes at the most
make load ARGS="--traces 2000"
"""

from __future__ import annotations

import argparse
import gzip
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

sys.path.insert(0, str(Path(__file__).parents[1]))

from backends.collector import Collector
from backends.jaeger import Jaeger
from backends.program import Program, Unavailable, fetch_json, wait_for
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_agents.semconv import attributes as attr

TRACES: Final = 100_000
SPANS_PER_TRACE: Final = 10
_PER_REQUEST: Final = 50
_PER_SERVICE: Final = 500
_SECONDS: Final = 600
_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"
_MESSAGES: Final = '[{"role":"user","parts":[{"type":"text","content":"%s"}]}]' % ("word " * 100)


@dataclass(frozen=True)
class Measured:
    """The result of a load run; CPU in seconds, peak memory in MiB."""

    sent: int
    arrived: int
    whole: int
    seconds: float
    collector_cpu: float
    collector_memory: float

    def __str__(self) -> str:
        return (
            f"traces sent      {self.sent:>10,}\n"
            f"traces arrived   {self.arrived:>10,}, {self.whole:,} of them with all spans\n"
            f"traces a second  {self.sent / self.seconds:>10,.0f}\n"
            f"Collector        {self.collector_cpu:>10,.1f} s CPU, "
            f"{1e6 * self.collector_cpu / self.sent / SPANS_PER_TRACE:,.0f} µs a span, "
            f"{self.collector_memory:,.0f} MiB at most"
        )


def run(traces: int, seconds: float = _SECONDS) -> Measured:
    """Send ``traces`` and count them in Jaeger, for at most ``seconds``.

    Raises:
        Unavailable: They were not taken, or did not arrive, in time.
    """
    deadline = time.monotonic() + seconds
    gateway = {"SAMPLING_PERCENTAGE": "100", "DECISION_WAIT": "5s", "SAMPLING_TRACES": "200000"}
    with Jaeger({"JAEGER_MAX_TRACES": str(traces + _PER_SERVICE + 2)}) as jaeger:
        where = {**jaeger.environ, **gateway}
        with Collector("common", "jaeger", "gateway", environ=where) as collector:
            began = time.time()
            _send(traces, f"{collector.endpoint}/v1/traces", deadline)
            took = time.time() - began
            _drained(collector, traces * SPANS_PER_TRACE, deadline)
            cpu, memory = _spent(collector)
            found = [len(spans) for spans in _arrived(jaeger, traces, began)]
    whole = sum(spans == SPANS_PER_TRACE for spans in found)
    return Measured(traces, len(found), whole, took, cpu, memory)


def _send(traces: int, address: str, deadline: float) -> None:
    session = requests.Session()
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
    for first in range(0, traces, _PER_REQUEST):
        request = _request(first, min(first + _PER_REQUEST, traces))
        body = gzip.compress(request.SerializeToString(), 1)
        while True:
            response = session.post(address, data=body, headers=headers, timeout=60)
            if response.status_code == 200:
                break
            if response.status_code not in (429, 503) or time.monotonic() > deadline:
                raise Unavailable(f"{address}: {response.status_code} {response.text[:200]}")
            time.sleep(0.1)  # the memory limiter requests a retry


def _request(first: int, after_last: int) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    service = resource.resource.attributes.add(key="service.name")
    service.value.string_value = _service(first)
    spans = resource.scope_spans.add().spans
    for number in range(first, after_last):
        spans.extend(_trace(number))
    return request


def _service(number: int) -> str:
    return f"load-{number // _PER_SERVICE}"


def _trace(number: int) -> Iterator[Span]:
    """Yield an agent's run: model and tool calls in turn."""
    trace_id = (number + 1).to_bytes(16, "big")  # an id of zeros is invalid
    now = time.time_ns()
    root = (10 * number + 1).to_bytes(8, "big")
    for number_in_trace in range(SPANS_PER_TRACE):
        span = Span(
            trace_id=trace_id,
            span_id=(10 * number + number_in_trace + 1).to_bytes(8, "big"),
            parent_span_id=root if number_in_trace else b"",
            start_time_unix_nano=now - 10**9 + number_in_trace * 10**8,
            end_time_unix_nano=now - 10**8 * (number_in_trace > 0),
        )
        operation = (
            "invoke_agent" if not number_in_trace else ("execute_tool", "chat")[number_in_trace % 2]
        )
        span.name = f"{operation} load"
        span.kind = Span.SPAN_KIND_CLIENT if operation == "chat" else Span.SPAN_KIND_INTERNAL
        _set_attribute(span, attr.GEN_AI_OPERATION_NAME, operation)
        if operation == "chat":
            _set_attribute(span, attr.GEN_AI_PROVIDER_NAME, "openai")
            _set_attribute(span, attr.GEN_AI_REQUEST_MODEL, "gpt-4o-mini")
            _set_attribute(span, attr.GEN_AI_INPUT_MESSAGES, _MESSAGES)
        yield span


def _set_attribute(span: Span, name: str, value: str) -> None:
    span.attributes.add(key=name).value.string_value = value


def _drained(collector: Collector, spans: int, deadline: float) -> None:
    def sent() -> bool:
        return collector.count("otelcol_exporter_sent_spans", exporter="otlp_grpc/jaeger") >= spans

    wait_for(sent, f"{spans} spans delivered", seconds=deadline - time.monotonic(), step=0.5)


def _spent(program: Program) -> tuple[float, float]:
    """Return CPU seconds and peak MiB of a running process."""
    stat = Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{program.pid}/status").read_text()
    highest = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    cpu = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return cpu, int(highest.split()[1]) / 1024


def _arrived(jaeger: Jaeger, traces: int, began: float) -> Iterator[set[str]]:
    """Yield the span ids of each trace in Jaeger, one service at a time."""
    since = time.strftime(_FORMAT, time.gmtime(began - 60))
    until = time.strftime(_FORMAT, time.gmtime(time.time() + 60))
    for first in range(0, traces, _PER_SERVICE):
        query = (
            f"query.service_name={_service(first)}&query.start_time_min={since}"
            f"&query.start_time_max={until}&query.num_traces={_PER_SERVICE + 1}"
        )
        response = fetch_json(f"{jaeger.page}/api/v3/traces?{query}")
        spans_of: dict[str, set[str]] = {}
        for span in _spans(response):
            spans_of.setdefault(span["traceId"], set()).add(span["spanId"])
        yield from spans_of.values()


def _spans(response: Any) -> Iterator[Any]:
    for resource in response["result"]["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            yield from scope["spans"]


def main() -> int:
    """Run it and print the figures; return 1 if spans were dropped."""
    parser = argparse.ArgumentParser(description="Agents' traces through the gateway to Jaeger.")
    parser.add_argument("--traces", type=int, default=TRACES)
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="the most it may take")
    given = parser.parse_args()
    measured = run(given.traces, given.seconds)
    print(measured)
    return 0 if measured.whole == measured.sent else 1


if __name__ == "__main__":
    sys.exit(main())
