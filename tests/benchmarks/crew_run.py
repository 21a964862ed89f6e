"""Runs a crew of 100 steps once, in a process of its own: prints CPU µs a step and exported KB as JSON.

A step is a model call and the tool call that it requests. The HTTP client's method is replaced by
one that returns responses itself, so that CrewAI and its instrumentation are measured.

    python tests/benchmarks/crew_run.py none|ours|ours-content|openllmetry|openllmetry-content
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import time
import warnings
from importlib import import_module
from typing import Any, Final

os.environ.update(
    CREWAI_DISABLE_TELEMETRY="true",
    CREWAI_DISABLE_TRACKING="true",
    CREWAI_TRACING_ENABLED="false",
    CREWAI_TESTING="true",
    CREWAI_STORAGE_DIR=tempfile.mkdtemp(),
    OPENAI_API_KEY="none",
    TRACELOOP_TELEMETRY="false",
)

from opentelemetry import _logs, metrics, trace
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    BatchLogRecordProcessor,
    LogRecordExporter,
    LogRecordExportResult,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

httpx: Any = import_module("httpx")  # openai 2's; types are checked with openai 3
STEPS: Final = 100
ITERATIONS: Final = 2 * STEPS
PROMPT: Final = "Add up the numbers of the ledger, one after the other. " * 20


class Spans(SpanExporter):
    """Encodes and measures sizes, and sends nothing."""

    weight = 0
    number = 0

    def export(self, spans: Any) -> SpanExportResult:
        """Encode."""
        self.number += len(spans)
        self.weight += len(encode_spans(spans).SerializeToString())
        return SpanExportResult.SUCCESS


class Logs(LogRecordExporter):
    """Encodes and measures sizes, and sends nothing."""

    weight = 0

    def export(self, batch: Any) -> LogRecordExportResult:
        """Encode."""
        self.weight += len(encode_logs(batch).SerializeToString())
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        """Do nothing: nothing is queued."""

    def force_flush(self, timeout_millis: int = 0) -> bool:
        """Do nothing: nothing is queued."""
        return True


class ScriptedResponses:
    """Responds with a tool call a hundred times, and then with a sentence."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, request: Any) -> Any:
        """Return the response to a request; CrewAI also requests token counts."""
        if not request.url.path.endswith("/chat/completions"):
            return httpx.Response(404, request=request)
        self.number += 1
        message: dict[str, Any] = {"role": "assistant", "content": "The sum is 4950."}
        if self.number < STEPS:
            arguments = json.dumps({"number": self.number})
            function = {"name": "add", "arguments": arguments}
            call = {"id": f"call_{self.number}", "type": "function", "function": function}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        reason = "tool_calls" if self.number < STEPS else "stop"
        return httpx.Response(
            200,
            request=request,
            json={
                "id": f"chatcmpl-{self.number}",
                "object": "chat.completion",
                "created": 1,
                "model": "gpt-4o-mini-2024-07-18",
                "choices": [{"index": 0, "finish_reason": reason, "message": message}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
            },
        )


def instrument(variant: str) -> None:
    """Instrument CrewAI and its model SDK."""
    names = {
        "ours": (
            ("otel_agents.instrumentors.crewai", "CrewAIInstrumentor"),
            ("otel_agents.instrumentors.openai", "OpenAIInstrumentor"),
        ),
        "openllmetry": (
            ("opentelemetry.instrumentation.crewai", "CrewAIInstrumentor"),
            ("opentelemetry.instrumentation.openai", "OpenAIInstrumentor"),
        ),
    }
    who, _, content = variant.partition("-")
    os.environ["TRACELOOP_TRACE_CONTENT"] = "true" if content else "false"
    if content:
        os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
    for module, name in names.get(who, ()):
        getattr(import_module(module), name)().instrument()


def crew() -> Any:
    """Return one agent with one task and one tool."""
    crewai: Any = import_module("crewai")
    tools: Any = import_module("crewai.tools")
    import_module("openai.resources")  # else by its first use, unless an instrumentor has: seconds

    def add(number: int) -> str:
        """Add a number to the sum."""
        return f"added {number}"

    agent = crewai.Agent(
        role="Bookkeeper",
        goal="Add up",
        backstory="You count.",
        llm=crewai.LLM(model="gpt-4o-mini"),
        tools=[tools.tool("add")(add)],
        max_iter=ITERATIONS,
        respect_context_window=False,  # counting tokens would take most of the time
    )
    task = crewai.Task(description=PROMPT, expected_output="The sum", agent=agent)
    return crewai.Crew(agents=[agent], tasks=[task])


def main() -> None:
    """Measure and print."""
    spans, logs, reader = Spans(), Logs(), InMemoryMetricReader()
    tracers, loggers = TracerProvider(), LoggerProvider()
    tracers.add_span_processor(BatchSpanProcessor(spans))
    loggers.add_log_record_processor(BatchLogRecordProcessor(logs))
    trace.set_tracer_provider(tracers)
    _logs.set_logger_provider(loggers)
    metrics.set_meter_provider(MeterProvider([reader]))
    warnings.simplefilter("ignore")
    logging.disable()
    instrument(sys.argv[1])
    respond = ScriptedResponses()

    def send(client: Any, request: Any, **more: Any) -> Any:
        return respond(request)

    setattr(httpx.Client, "send", send)  # noqa: B010  a method, replaced
    work = crew()
    start = time.process_time()
    result = work.kickoff()
    tracers.force_flush()
    loggers.force_flush()
    measured = reader.get_metrics_data()
    weight = len(encode_metrics(measured).SerializeToString()) if measured else 0
    spent = time.process_time() - start
    assert (result.raw, respond.number) == ("The sum is 4950.", STEPS)
    exported = spans.weight + logs.weight + weight
    figures = {"step": spent / STEPS * 1e6, "kilobytes": exported / 1000, "spans": spans.number}
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
