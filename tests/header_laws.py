"""Laws of trace headers: which hosts get them, and what a propagator of the application costs."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator
from stainless_calls import Sdk

from otel_agents.instrumentors._core import errors
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["HeaderLaws", "check_raising_propagator", "check_trace_headers", "raising_propagator"]


def check_trace_headers(emission: Emission, model: ScriptedModel, sent: bool) -> None:
    """Check that each request had the trace header of its span, or that none had one."""
    expected: list[str | None] = [
        f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
        if sent
        else None
        for context in (span.get_span_context() for span in emission.spans)
        if context is not None
    ]
    assert expected
    assert [entry.headers.get("traceparent") for entry in model.ledger.entries] == expected


class RaisingPropagator(TextMapPropagator):
    """A propagator of the application."""

    def extract(self, carrier: Any, context: Context | None = None, getter: Any = None) -> Context:
        return context or Context()

    def inject(self, carrier: Any, context: Context | None = None, setter: Any = None) -> None:
        raise LookupError("theirs")

    @property
    def fields(self) -> set[str]:
        return set()


@contextmanager
def raising_propagator() -> Generator[list[str], None, None]:
    """Have the application's propagator raise; return the list of what is reported as internal errors."""
    known, reported = propagate.get_global_textmap(), list[str]()
    propagate.set_global_textmap(RaisingPropagator())
    try:
        with mock.patch.object(errors, "internal_error", reported.append):
            yield reported
    finally:
        propagate.set_global_textmap(known)


def check_raising_propagator(
    send: Callable[[], object], instrument: Callable[..., None], emission: Emission
) -> None:
    """Check that a request costs only its headers if the application's propagator raises."""
    with raising_propagator() as reported:
        instrument(OTEL_AGENTS_PROPAGATE_HEADERS="*")
        send()
    assert (len(emission.spans), reported) == (1, ["propagating a trace"])
    assert "error.type" not in (emission.span.attributes or {})


class HeaderLaws:
    """Laws of an SDK that Stainless generates; the suite has the fixtures of `stainless_fixtures`."""

    @pytest.mark.parametrize(
        ("setting", "sent"),
        [("", False), ("api.{}.com", False), ("127.0.0.1", True), ("example.com, 127.*", True)],
    )
    def test_trace_headers_go_only_to_hosts_that_are_named(
        self,
        setting: str,
        sent: bool,
        sdk: Sdk,
        client: Any,
        run: Callable[..., Any],
        model: ScriptedModel,
        emission: Emission,
        instrument: Callable[..., None],
    ) -> None:
        instrument(OTEL_AGENTS_PROPAGATE_HEADERS=setting.format(sdk.name))
        sdk.send(client, extra_headers={"x-mine": "kept"})
        run(sdk.send)
        assert len(emission.spans) == 2
        check_trace_headers(emission, model, sent)
        assert model.ledger.entries[0].headers["x-mine"] == "kept"

    def test_a_propagator_that_raises_costs_only_the_headers(
        self, sdk: Sdk, client: Any, emission: Emission, instrument: Callable[..., None]
    ) -> None:
        check_raising_propagator(lambda: sdk.send(client), instrument, emission)
