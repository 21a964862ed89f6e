"""Measures one variant of one model call, in a process of its own: prints CPU µs as JSON.

The SDK's request method is replaced by one that returns a response made beforehand, so that what
is measured is what lies around it: nothing, the hand-written floor, or the instrumentor.

    python tests/benchmarks/model_call.py VARIANT KILOBYTES
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import openai
from openai import _base_client  # pyright: ignore[reportPrivateUsage]  what is replaced
from openai._models import FinalRequestOptions
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import SpanKind

from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.settings import Settings

CHUNKS: Final = 200
SECONDS: Final = 0.4
MESSAGES: Final = 20


class Encoding(SpanExporter):
    """Encodes as the OTLP exporter does, and sends nothing."""

    def export(self, spans: Any) -> SpanExportResult:
        """Encode."""
        encode_spans(spans).SerializeToString()
        return SpanExportResult.SUCCESS


def body(kilobytes: int, stream: bool) -> dict[str, Any]:
    """Return a chat request whose messages have ``kilobytes`` in total."""
    text = "lorem ipsum dolor " * (kilobytes * 1000 // MESSAGES // 18)
    roles = ("user", "assistant")
    messages = [{"role": roles[i % 2], "content": text} for i in range(MESSAGES)]
    request = {"model": "gpt-4o-mini", "messages": messages, "temperature": 0.5}
    return {**request, "stream": True} if stream else request


RESPONSE: Final = ChatCompletion.model_validate(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "It is 42, as it always was."},
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
)


def chunk(delta: dict[str, Any], reason: str | None = None) -> ChatCompletionChunk:
    """Return one chunk of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return ChatCompletionChunk.model_validate(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [choice],
        }
    )


STREAM: Final = [chunk({"content": "word "}) for _ in range(CHUNKS)] + [chunk({}, "stop")]


class FakeStream:
    """A stream with the interface of the SDK's."""

    def __init__(self) -> None:
        self._iterator = iter(STREAM)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._iterator)


def returned(self: Any, cast_to: Any, options: Any, *, stream: bool = False, **_: Any) -> Any:
    """Replace the SDK's request: no network, no JSON."""
    return FakeStream() if stream else RESPONSE


class Floor:
    """Hand-written instrumentation of one call."""

    def __init__(self, tracers: TracerProvider, meters: MeterProvider, content: bool) -> None:
        self._tracer = tracers.get_tracer("floor")
        meter = meters.get_meter("floor")
        self._duration = meter.create_histogram("gen_ai.client.operation.duration", unit="s")
        self._tokens = meter.create_histogram("gen_ai.client.token.usage", unit="{token}")
        self._content = content

    def __call__(self, client: Any, options: Any, stream: bool) -> None:
        """Make one call."""
        request = options.json_data
        common = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": request["model"],
            "server.address": "api.openai.com",
            "server.port": 443,
        }
        start = time.perf_counter()
        with self._tracer.start_as_current_span(
            "chat gpt-4o-mini", kind=SpanKind.CLIENT, attributes=common, record_exception=False
        ) as span:
            response = client.request(ChatCompletion, options, stream=stream)
            common["gen_ai.response.model"] = RESPONSE.model
            if stream:
                output = "".join(self._read(response))
            else:
                output = response.choices[0].message.content
                usage = response.usage
                span.set_attribute("gen_ai.usage.input_tokens", usage.prompt_tokens)
                span.set_attribute("gen_ai.usage.output_tokens", usage.completion_tokens)
                for kind, n in (
                    ("input", usage.prompt_tokens),
                    ("output", usage.completion_tokens),
                ):
                    self._tokens.record(n, {**common, "gen_ai.token.type": kind})
            span.set_attribute("gen_ai.request.temperature", request["temperature"])
            span.set_attribute("gen_ai.response.id", RESPONSE.id)
            span.set_attribute("gen_ai.response.model", RESPONSE.model)
            span.set_attribute("gen_ai.response.finish_reasons", ("stop",))
            if self._content and span.is_recording():
                self._set_content(span, request["messages"], output)
        self._duration.record(time.perf_counter() - start, common)

    @staticmethod
    def _read(stream: Any) -> Iterator[str]:
        """Wrap a stream in a generator, and read it as the application would."""
        first: float | None = None

        def observed() -> Iterator[Any]:
            nonlocal first
            for item in stream:
                if first is None:
                    first = time.perf_counter()
                for choice in item.choices:
                    if choice.delta.content:
                        chunks.append(choice.delta.content)
                    if choice.finish_reason:
                        reasons.append(choice.finish_reason)
                yield item

        chunks: list[str] = []
        reasons: list[str] = []
        for _ in observed():
            pass
        return iter(chunks)

    @staticmethod
    def _set_content(span: Any, messages: Any, output: str) -> None:
        sent = [
            {"role": m["role"], "parts": [{"type": "text", "content": m["content"]}]}
            for m in messages
        ]
        got = [{"role": "assistant", "parts": [{"type": "text", "content": output}]}]
        span.set_attribute("gen_ai.input.messages", json.dumps(sent))
        span.set_attribute("gen_ai.output.messages", json.dumps(got))


def variant(name: str) -> tuple[Callable[[Any, Any, bool], None], Any]:
    """Return the call to measure, and a function that flushes its spans."""
    sampler = ALWAYS_OFF if "unsampled" in name else ALWAYS_ON
    tracers = TracerProvider(sampler=sampler)
    processor = BatchSpanProcessor(Encoding())
    tracers.add_span_processor(processor)
    meters = MeterProvider([InMemoryMetricReader()])
    if name.startswith("floor"):
        return Floor(tracers, meters, "content" in name or "unsampled" in name), processor
    if name.startswith("ours"):
        environ: dict[str, str] = {}
        if "content" in name or "unsampled" in name:
            environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
        if "lifted" in name:
            for setting in ("CONTENT_MAX_BYTES", "SPAN_MAX_BYTES"):
                environ[f"OTEL_AGENTS_{setting}"] = str(10**9)
        OpenAIInstrumentor().instrument(
            tracer_provider=tracers, meter_provider=meters, settings=Settings.read(environ)
        )
    return plain, processor


def plain(client: Any, options: Any, stream: bool) -> None:
    """Make the call without instrumentation."""
    response = client.request(ChatCompletion, options, stream=stream)
    if stream:
        for _ in response:
            pass


def main() -> None:
    """Measure and print."""
    name, kilobytes = sys.argv[1], int(sys.argv[2])
    stream = "stream" in name
    setattr(_base_client.SyncAPIClient, "request", returned)  # noqa: B010  a method, replaced
    call, processor = variant(name)
    client = openai.OpenAI(api_key="none")
    data = body(kilobytes, stream)
    options = FinalRequestOptions.construct(method="post", url="/chat/completions", json_data=data)
    for _ in range(20 if kilobytes < 1000 else 3):
        call(client, options, stream)
    processor.force_flush()
    gc.collect()
    gc.freeze()  # a collection of what the SDK has imported takes as long as all that is measured
    calls, thread_start, process_start = 0, time.thread_time(), time.process_time()
    while (spent := time.thread_time() - thread_start) < SECONDS or calls < 5:
        call(client, options, stream)
        calls += 1
        if calls % 64 == 0:
            processor.force_flush()
    spent = time.thread_time() - thread_start
    processor.force_flush()
    whole = time.process_time() - process_start
    assert threading.current_thread() is threading.main_thread()
    print(json.dumps({"caller": spent / calls * 1e6, "process": whole / calls * 1e6}))


if __name__ == "__main__":
    main()
