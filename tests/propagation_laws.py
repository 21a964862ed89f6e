"""To whom trace headers go, and that a propagator of the application may raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator

from otel_agents.instrumentors._core import errors
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["check_raising_propagator", "check_trace_headers"]


def check_trace_headers(model: ScriptedModel, emission: Emission, *, sent: bool) -> None:
    """Check that each request has the ``traceparent`` of its span if ``sent``, and else none."""
    expected: list[str | None] = [
        f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
        if sent
        else None
        for context in (span.get_span_context() for span in emission.spans)
        if context is not None
    ]
    assert [entry.headers.get("traceparent") for entry in model.ledger.entries] == expected
    assert expected


class _RaisingPropagator(TextMapPropagator):
    """A propagator of the application."""

    def extract(self, carrier: Any, context: Context | None = None, getter: Any = None) -> Context:
        return context or Context()

    def inject(self, carrier: Any, context: Context | None = None, setter: Any = None) -> None:
        raise LookupError("theirs")

    @property
    def fields(self) -> set[str]:
        return set()


def check_raising_propagator(
    emission: Emission, instrument: Callable[..., None], send: Callable[[], object]
) -> None:
    """Check that an error of the application's propagator costs only the headers of a request."""
    reported: list[str] = []
    known = propagate.get_global_textmap()
    propagate.set_global_textmap(_RaisingPropagator())
    try:
        with mock.patch.object(errors, "internal_error", reported.append):
            instrument(OTEL_AGENTS_PROPAGATE_HEADERS="*")
            send()
    finally:
        propagate.set_global_textmap(known)
    assert (emission.names, reported) == (["chat m"], ["propagating a trace"])
