"""The metrics of both generations, recorded from ended operations."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation

from otel_agents.instrumentors._core.forking import renew_after_fork
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import metrics
from otel_agents.semconv.metrics import Metric
from otel_agents.semconv.values import TokenModality, TokenType

__all__ = ["Instruments", "Sums"]

Attributes = dict[str, Any]

_OVERFLOW: Final = {"otel.metric.overflow": True}


class Sums:
    """A sum per set of attributes, observed when metrics are collected.

    A record of a synchronous instrument costs 8 µs, an addition to a dict almost nothing. The
    table holds ``limit`` sets; what comes after goes to the overflow set of the metrics SDK.
    """

    def __init__(self, meter: Meter, metric: Metric, limit: int = 2000) -> None:
        self._limit = limit
        self.begin()
        renew_after_fork(self.begin)
        meter.create_observable_counter(
            metric.name, [self._observe], unit=metric.unit, description=metric.description
        )

    def begin(self) -> None:
        """With nothing, as a forked child does: what was added is the parent's to tell."""
        self._sums: dict[tuple[tuple[str, Any], ...], int] = {}
        self._lock = threading.RLock()  # a destructor may interrupt its own thread here

    def add(self, value: int, attributes: Mapping[str, Any]) -> None:
        """Add ``value`` to the sum of ``attributes``."""
        key = tuple(attributes.items())
        with self._lock:
            if key not in self._sums and len(self._sums) >= self._limit:
                key = tuple(_OVERFLOW.items())
            self._sums[key] = self._sums.get(key, 0) + value

    def _observe(self, _: CallbackOptions) -> Iterable[Observation]:
        with self._lock:
            sums = list(self._sums.items())
        return [Observation(value, dict(key)) for key, value in sums]


class Instruments:
    """The instruments of one instrumentor, made when first needed."""

    def __init__(self, meter: Meter, settings: Settings) -> None:
        self._meter = meter
        self._previous = settings.metrics.previous
        self._latest = settings.metrics.latest
        self._histograms: dict[str, Histogram] = {}
        self._sums: dict[str, Sums] = {}
        self.per_chunk = settings.chunk_metric

    @property
    def latest(self) -> bool:
        """Whether the newest generation is emitted."""
        return self._latest

    def record(
        self, metric: Metric, value: float, attributes: Attributes, context: Context
    ) -> None:
        """Record one value of a histogram; ``context`` makes exemplars point to the span."""
        histogram = self._histograms.get(metric.name)
        if histogram is None:
            histogram = self._histograms[metric.name] = self._meter.create_histogram(
                metric.name,
                unit=metric.unit,
                description=metric.description,
                explicit_bucket_boundaries_advisory=metric.buckets,
            )
        histogram.record(value, attributes, context=context)

    def add(self, metric: Metric, value: int, attributes: Attributes) -> None:
        """Add to an observed sum."""
        sums = self._sums.get(metric.name)
        if sums is None:
            sums = self._sums[metric.name] = Sums(self._meter, metric)
        sums.add(value, attributes)

    def inference_duration(self, seconds: float, attributes: Attributes, context: Context) -> None:
        """The duration of an inference, under the name of each generation asked for."""
        if self._previous:
            metric = metrics.GEN_AI_CLIENT_OPERATION_DURATION
            self.record(metric, seconds, attributes, context)
        if self._latest:
            metric = metrics.GEN_AI_CLIENT_INFERENCE_DURATION
            self.record(metric, seconds, attributes, context)

    def operation_duration(self, seconds: float, attributes: Attributes, context: Context) -> None:
        """The duration of a client operation that is no inference, the same in both generations."""
        self.record(metrics.GEN_AI_CLIENT_OPERATION_DURATION, seconds, attributes, context)

    def first_chunk(self, seconds: float, attributes: Attributes, context: Context) -> None:
        """The time to the first chunk of a stream."""
        if self._previous:
            metric = metrics.GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK
            self.record(metric, seconds, attributes, context)
        if self._latest:
            metric = metrics.GEN_AI_CLIENT_INFERENCE_TIME_TO_FIRST_CHUNK
            self.record(metric, seconds, attributes, context)

    def output_chunk(self, seconds: float, attributes: Attributes, context: Context) -> None:
        """The time between two chunks of a stream; recorded only where `per_chunk` asks for it."""
        if self._previous:
            metric = metrics.GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK
            self.record(metric, seconds, attributes, context)
        if self._latest:
            metric = metrics.GEN_AI_CLIENT_INFERENCE_TIME_PER_OUTPUT_CHUNK
            self.record(metric, seconds, attributes, context)

    def token_usage(
        self,
        input_tokens: int | None,
        output_tokens: int | None,
        attributes: Attributes,
        context: Context,
    ) -> None:
        """Tokens of the previous generation: one histogram, split by ``gen_ai.token.type``."""
        if not self._previous:
            return
        metric = metrics.GEN_AI_CLIENT_TOKEN_USAGE
        for kind, tokens in ((TokenType.INPUT, input_tokens), (TokenType.OUTPUT, output_tokens)):
            if tokens is not None:
                split = {**attributes, attr.GEN_AI_TOKEN_TYPE: kind.value}
                self.record(metric, tokens, split, context)

    def inference_usage(
        self, usage: Mapping[str, Any], attributes: Attributes, context: Context
    ) -> None:
        """Tokens of the latest generation: sums by modality, and histograms per operation.

        ``usage`` holds the ``gen_ai.usage.*`` attributes of the span.
        """
        if not self._latest:
            return
        for metric, name in _OPERATION_TOKENS:
            if name in usage:
                self.record(metric, usage[name], attributes, context)
        for metric, total, parts in _USAGE_SUMS:
            for modality, tokens in _by_modality(usage, total, parts):
                self.add(metric, tokens, {**attributes, attr.GEN_AI_TOKEN_MODALITY: modality})


_OPERATION_TOKENS: Final = (
    (metrics.GEN_AI_CLIENT_INFERENCE_OPERATION_INPUT_TOKENS, attr.GEN_AI_USAGE_INPUT_TOKENS),
    (metrics.GEN_AI_CLIENT_INFERENCE_OPERATION_OUTPUT_TOKENS, attr.GEN_AI_USAGE_OUTPUT_TOKENS),
)
_TEXT, _IMAGE, _AUDIO = TokenModality.TEXT, TokenModality.IMAGE, TokenModality.AUDIO
_USAGE_SUMS: Final = (
    (
        metrics.GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS,
        attr.GEN_AI_USAGE_INPUT_TOKENS,
        (
            (_TEXT, attr.GEN_AI_USAGE_TEXT_INPUT_TOKENS),
            (_IMAGE, attr.GEN_AI_USAGE_IMAGE_INPUT_TOKENS),
            (_AUDIO, attr.GEN_AI_USAGE_AUDIO_INPUT_TOKENS),
        ),
    ),
    (
        metrics.GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS,
        attr.GEN_AI_USAGE_OUTPUT_TOKENS,
        (
            (_TEXT, attr.GEN_AI_USAGE_TEXT_OUTPUT_TOKENS),
            (_IMAGE, attr.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS),
            (_AUDIO, attr.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS),
        ),
    ),
    (
        metrics.GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS,
        attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
        (
            (_TEXT, attr.GEN_AI_USAGE_TEXT_CACHE_READ_INPUT_TOKENS),
            (_IMAGE, attr.GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS),
            (_AUDIO, attr.GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS),
        ),
    ),
    (
        metrics.GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_WRITE_INPUT_TOKENS,
        attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
        (),
    ),
    (
        metrics.GEN_AI_CLIENT_INFERENCE_USAGE_REASONING_OUTPUT_TOKENS,
        attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
        (),
    ),
)


def _by_modality(
    usage: Mapping[str, Any], total: str, parts: tuple[tuple[TokenModality, str], ...]
) -> Iterable[tuple[str, int]]:
    """What the provider broke down, and the rest of the total as ``unknown``."""
    rest = usage.get(total)
    if rest is None:
        return
    for modality, name in parts:
        tokens = usage.get(name)
        if tokens:
            rest -= tokens
            yield modality.value, tokens
    if rest > 0:
        yield TokenModality.UNKNOWN.value, rest
