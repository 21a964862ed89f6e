"""Global providers for libraries that trace themselves, and what they and we emitted."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["NativeEmission", "billed"]

_INFERENCES = ("chat", "generate_content", "text_completion", "embeddings")
_OURS = "otel_agents.instrumentors."
Point = tuple[str, str | None]


class _Switched(Sampler):
    """Samples every trace, none, or every second one; the spans of a trace alike."""

    def __init__(self) -> None:
        self.rate = "all"
        self._roots = itertools.count()

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        parent = trace.get_current_span(parent_context).get_span_context()
        if parent.is_valid:
            sampled = parent.trace_flags.sampled
        else:
            sampled = self.rate == "all" or (self.rate == "half" and next(self._roots) % 2 == 0)
        return SamplingResult(Decision.RECORD_AND_SAMPLE if sampled else Decision.DROP, attributes)

    def get_description(self) -> str:
        return "switched"


class NativeEmission(Emission):
    """The providers of the process: a library keeps what it gets from them first."""

    def __init__(self) -> None:
        self.sampler = _Switched()
        super().__init__(self.sampler, noticing=True)
        self._before: dict[Point, tuple[float, int]] = {}
        trace.set_tracer_provider(self.tracer_provider)
        metrics.set_meter_provider(self.meter_provider)
        set_logger_provider(self.logger_provider)

    def restart(self, rate: str = "all") -> None:
        """Forget what was emitted; sample ``all``, ``none`` or ``half`` of the traces."""
        self.sampler.rate = rate
        self._spans.clear()
        self._logs.clear()
        self._before = self._sums()

    @property
    def inferences(self) -> list[ReadableSpan]:
        """The spans of model calls, whoever emitted them."""
        return [span for span in self.spans if attributes_of(span).get(_OPERATION) in _INFERENCES]

    @property
    def ours(self) -> list[ReadableSpan]:
        """Those that we emitted."""
        return [span for span in self.inferences if scope_of(span).startswith(_OURS)]

    @property
    def tokens(self) -> tuple[int, int]:
        """The input and output tokens of all spans of model calls."""
        spans = list(map(attributes_of, self.inferences))
        names = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
        counted = [sum(span.get(name, 0) for span in spans) for name in names]
        return counted[0], counted[1]

    def recorded(self, name: str, token_type: str | None = None) -> tuple[float, int]:
        """Return sum and number of what was recorded in a metric since `restart`."""
        point = (name, token_type)
        total, number = self._sums().get(point, (0, 0))
        before = self._before.get(point, (0, 0))
        return total - before[0], number - before[1]

    def _sums(self) -> dict[Point, tuple[float, int]]:
        sums: dict[Point, tuple[float, int]] = {}
        for metric in self.metrics():
            for point in metric.data.data_points:
                if hasattr(point, "sum"):
                    # A library may use a member of an enumeration.
                    of = {str(getattr(k, "value", k)): v for k, v in point.attributes.items()}
                    kind = of.get("gen_ai.token.type")
                    key = (metric.name, getattr(kind, "value", kind))
                    total, number = sums.get(key, (0, 0))
                    sums[key] = total + point.sum, number + point.count
        return sums


_OPERATION = "gen_ai.operation.name"


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    """Return the attributes; a library may use members of an enumeration as names."""
    return {
        str(getattr(name, "value", name)): value for name, value in (span.attributes or {}).items()
    }


def scope_of(span: ReadableSpan) -> str:
    """Return the name of its instrumentation scope."""
    return span.instrumentation_scope.name if span.instrumentation_scope else ""


def billed(model: ScriptedModel) -> int:
    """Return the number of responses that the model billed."""
    return sum(1 for entry in model.ledger.entries if entry.input_tokens)
