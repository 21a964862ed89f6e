"""The metrics of both generations, recorded from ended operations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from types import MappingProxyType, SimpleNamespace
from typing import Any, Final, NamedTuple, Protocol

from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, NoOpMeter, Observation

from otel_agents.instrumentors._core import system
from otel_agents.instrumentors._core.forking import Lock, renew_after_fork
from otel_agents.instrumentors._core.tables import ByObject, Recent
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import metrics
from otel_agents.semconv.metrics import Metric
from otel_agents.semconv.values import TokenModality

from .chosen import ChosenAttributes

__all__ = ["EndedOperation", "Instruments", "Measure", "ObservedCounter", "SharedCounters"]

Attributes = dict[str, Any]

_UNITS: Final = ("s", "{token}")
"""The units of the metrics that have the chosen attributes."""
_OVERFLOW: Final = MappingProxyType({"otel.metric.overflow": True})


class ObservedCounter:
    """A sum per attribute set, reported through an observable counter.

    Recording with a synchronous instrument costs 8 µs, adding to a dict almost nothing. The table
    holds ``limit`` attribute sets; further ones are added to the overflow set of the metrics SDK.
    """

    def __init__(self, meter: Meter, metric: Metric, limit: int = 2000) -> None:
        self._limit = limit
        self.reset()
        renew_after_fork(self.reset)
        meter.create_observable_counter(
            metric.name, [self._observe], unit=metric.unit, description=metric.description
        )

    def reset(self) -> None:
        """Empty the table; in a forked child, since the parent reports what it has added."""
        self._lock = system.RLock()  # free, and reentrant: see `Lock`
        self._sums: dict[tuple[tuple[str, Any], ...], float] = {}

    def add(self, value: float, attributes: Mapping[str, Any]) -> None:
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


class _GlobalProvider:
    """A key for the process's own meter provider, whichever that is or becomes."""


class SharedCounters:
    """The counters of one scope: one for each metric and meter provider.

    If a meter already has a counter of a name, it keeps the first one's callback and drops the
    second's, so two counters would lose what is added to the second.

    Args:
        scope: The name of the scope.
        meter: Its meter.
        provider: The meter's provider; None for the process's own.
    """

    def __init__(self, scope: str, meter: Meter, provider: object | None) -> None:
        self._scope = scope
        self._meter = meter
        self._provider = _GLOBAL_PROVIDER if provider is None else provider

    def of(self, metric: Metric) -> ObservedCounter:
        """Return the counter of ``metric``."""
        with _lock:
            known = _sums.setdefault(self._provider, {})
            key = (self._scope, metric.name)
            if key not in known:
                known[key] = ObservedCounter(self._meter, metric)
            return known[key]


_GLOBAL_PROVIDER: Final = _GlobalProvider()
_lock: Final = Lock()
_sums: Final[ByObject[object, dict[tuple[str, str], ObservedCounter]]] = ByObject()
"""By provider, then by scope and metric name."""


class EndedOperation(Protocol):
    """What metrics are recorded from."""

    context: Context


class Measure(NamedTuple):
    """One metric of a kind of operation.

    Attributes:
        metric: The metric.
        value: Reads the value from an operation; None records nothing.
        attributes: Names of span attributes; those present are recorded.
        extra: Attributes of the point that the span does not have.
        previous: Whether the metric belongs to the generation that dashboards query today.
        latest: Whether it belongs to the newest generation.
    """

    metric: Metric
    value: Callable[[Any], float | None]
    attributes: tuple[str, ...]
    extra: Mapping[str, Any] = MappingProxyType({})
    previous: bool = True
    latest: bool = True


class _Row:
    """A measure, and its histogram after its first point."""

    __slots__ = ("histogram", "measure", "read")

    def __init__(self, measure: Measure) -> None:
        self.measure = measure
        self.read = measure.value
        self.histogram: Histogram | None = None


class _Plan:
    """What is known of the measures of one kind, and the attributes of their points so far."""

    __slots__ = ("_names", "_points", "measures", "rows")

    def __init__(self, measures: tuple[Measure, ...], *, previous: bool, latest: bool) -> None:
        self.measures = measures
        enabled = [it for it in measures if (it.previous and previous) or (it.latest and latest)]
        self.rows = [_Row(measure) for measure in enabled]
        self._names = tuple(dict.fromkeys(name for it in enabled for name in it.attributes))
        self._points: Recent[tuple[Any, ...], list[Attributes]] = Recent(256, bool)

    def points(self, known: Mapping[str, Any]) -> list[Attributes]:
        """Return the attributes of a point of each row; nobody changes them."""
        key = tuple(map(known.get, self._names))
        points = self._points.get(key)
        if points is None:
            points = [_point(row.measure, known) for row in self.rows]
            self._points.put(key, points)
        return points


def _point(measure: Measure, known: Mapping[str, Any]) -> Attributes:
    common = {name: known[name] for name in measure.attributes if name in known}
    return {**common, **measure.extra}


_REAL: Final = "_real_meter"
"""What the API's proxy of a meter has: the meter, once the process has a meter provider."""


class Instruments:
    """The instruments of one instrumentor, created on first use."""

    def __init__(self, meter: Meter, settings: Settings, shared: SharedCounters) -> None:
        self._meter = meter
        self._shared = shared
        self._previous = settings.metrics.previous
        self.latest = settings.metrics.latest
        self._histograms: dict[str, Histogram] = {}
        self._plans: Recent[int, _Plan] = Recent(64, bool)
        self._sums: dict[str, ObservedCounter] = {}
        self.per_chunk = settings.chunk_metric
        self._chosen = ChosenAttributes(settings.metric_attributes, self._overflowed)
        real = None if isinstance(meter, NoOpMeter) else meter
        self._proxy: Any = meter if hasattr(meter, _REAL) else SimpleNamespace(**{_REAL: real})

    records = property(attrgetter(f"_proxy.{_REAL}"))  # a hot path: without a call
    """None as long as no point of a histogram is kept: the process has no meter provider."""

    def measure(
        self, measures: tuple[Measure, ...], operation: EndedOperation, known: Mapping[str, Any]
    ) -> None:
        """Record ``measures`` of ``operation``, in the generations that the settings enable.

        ``known`` are the attributes of its span, including ``error.type`` after an error.
        """
        # A hot path: kinds keep their measures, so what is known of these is kept, too.
        plan = self._plans.get(id(measures))
        if plan is None:  # it holds the measures, so that no others get their id
            plan = _Plan(measures, previous=self._previous, latest=self.latest)
            self._plans.put(id(measures), plan)
        context, points = operation.context, plan.points(known)
        if self._chosen.names:
            points = self._with_chosen(plan, points, self._chosen.of(context, known))
        for row, point in zip(plan.rows, points, strict=True):
            value = row.read(operation)
            if value is not None:
                if row.histogram is None:
                    row.histogram = self._histogram(row.measure.metric)
                row.histogram.record(value, point, context)

    @staticmethod
    def _with_chosen(plan: _Plan, points: list[Attributes], chosen: Attributes) -> list[Attributes]:
        return [
            {**chosen, **point} if row.measure.metric.unit in _UNITS else point
            for row, point in zip(plan.rows, points, strict=True)
        ]

    def _histogram(self, metric: Metric) -> Histogram:
        histogram = self._histograms.get(metric.name)
        if histogram is None:
            histogram = self._histograms[metric.name] = self._meter.create_histogram(
                metric.name,
                unit=metric.unit,
                description=metric.description,
                explicit_bucket_boundaries_advisory=metric.buckets,
            )
        return histogram

    def add_cost(
        self, cost: float, usage: Mapping[str, Any], names: tuple[str, ...], context: Context
    ) -> None:
        """Add the cost of a call to the sums; see `add_usage`."""
        chosen = self._chosen.of(context, usage) if self._chosen.names else {}
        attributes = {**chosen, **{name: usage[name] for name in names if name in usage}}
        self._add(metrics.OTEL_AGENTS_COSTS, cost, attributes)

    def miss_cost(self, reason: str) -> None:
        """Count a call without a cost."""
        self._add(metrics.OTEL_AGENTS_COST_MISSING, 1, {attr.OTEL_AGENTS_REASON: reason})

    def _overflowed(self, name: str) -> None:
        self._add(metrics.OTEL_AGENTS_METRIC_OVERFLOWS, 1, {attr.OTEL_AGENTS_REASON: name})

    def add_usage(self, usage: Mapping[str, Any], names: tuple[str, ...], context: Context) -> None:
        """Add the usage of an inference to the sums by modality of the latest generation.

        Args:
            usage: The attributes of the span, including ``gen_ai.usage.*``.
            names: The span attributes that the points carry.
            context: The context of the inference.
        """
        chosen = self._chosen.of(context, usage) if self._chosen.names else {}
        attributes = {**chosen, **{name: usage[name] for name in names if name in usage}}
        for metric, total, parts in _USAGE_SUMS:
            for modality, tokens in _by_modality(usage, total, parts):
                self._add(metric, tokens, {**attributes, attr.GEN_AI_TOKEN_MODALITY: modality})

    def _add(self, metric: Metric, value: float, attributes: Attributes) -> None:
        sums = self._sums.get(metric.name)
        if sums is None:
            sums = self._sums[metric.name] = self._shared.of(metric)
        sums.add(value, attributes)


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
    """Yield the provider's breakdown, and the rest of the total as ``unknown``."""
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
