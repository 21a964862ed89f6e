"""Open spans are tracked until they end or are garbage-collected; none is kept alive."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from opentelemetry.sdk.trace import TracerProvider

from otel_agents.distro.ending import open_spans
from otel_agents.distro.ending.open_spans import OpenSpans


def test_a_span_is_known_from_its_start_to_its_end() -> None:
    spans, provider = OpenSpans(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(spans)
    tracer = provider.get_tracer("t")
    assert len(spans) == 0
    one, other = tracer.start_span("one"), tracer.start_span("other")
    assert len(spans) == 2
    one.end()
    assert len(spans) == 1
    other.end()
    assert len(spans) == 0


def test_an_unreferenced_span_is_forgotten(monkeypatch: Any) -> None:
    monkeypatch.setattr(open_spans, "_PRUNE_AT", 10)
    spans, provider = OpenSpans(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(spans)
    alive = [weakref.ref(provider.get_tracer("t").start_span("dropped")) for _ in range(25)]
    gc.collect()
    assert {reference() for reference in alive} == {None}
    assert len(spans) == 0
    assert len(vars(spans)["_open"]) <= 11
