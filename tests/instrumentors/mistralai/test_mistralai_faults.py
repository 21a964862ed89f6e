"""Our error, or one of application code that we call, costs no span and raises nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from failing_hooks import check_failing_hooks
from mistral_calls import MESSAGES
from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors.mistralai import MistralAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel, nothing_listening


@pytest.mark.parametrize("way", ["whole", "stream", "refused"])
def test_our_error_costs_no_span(way: str, client: Any, model: ScriptedModel) -> None:
    request: Any = {"model": "m", "messages": MESSAGES}

    def converse() -> Any:
        model.script("answer")
        if way == "stream":
            return len(list(client.chat.stream(**request)))
        if way == "whole":
            return client.chat.complete(**request).choices[0].message.content
        with nothing_listening() as url, pytest.raises(Exception, match="refused") as raised:
            client.chat.complete(**request, server_url=url)
        return type(raised.value)

    assert check_failing_hooks(MistralAIInstrumentor, converse) > 6


class RaisingPropagator(TextMapPropagator):
    """A propagator of the application."""

    def extract(self, carrier: Any, context: Context | None = None, getter: Any = None) -> Context:
        return context or Context()

    def inject(self, carrier: Any, context: Context | None = None, setter: Any = None) -> None:
        raise LookupError("theirs")

    @property
    def fields(self) -> set[str]:
        return set()


@pytest.fixture
def propagator() -> Iterator[None]:
    known = propagate.get_global_textmap()
    propagate.set_global_textmap(RaisingPropagator())
    yield
    propagate.set_global_textmap(known)


@pytest.mark.usefixtures("propagator")
def test_a_propagator_that_raises_costs_only_the_headers(
    client: Any,
    instrument: Callable[..., None],
    emission: Emission,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reported: list[str] = []
    monkeypatch.setattr(errors, "internal_error", reported.append)
    instrument(OTEL_AGENTS_PROPAGATE_HEADERS="*")
    client.chat.complete(model="m", messages=MESSAGES)
    assert (emission.names, reported) == (["chat m"], ["propagating a trace"])


@pytest.mark.parametrize(
    ("setting", "sent"),
    [("", False), ("api.mistral.ai", False), ("127.0.0.1", True), ("example.com, 127.*", True)],
)
def test_trace_headers_go_only_to_hosts_that_are_named(
    setting: str,
    sent: bool,
    client: Any,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument(OTEL_AGENTS_PROPAGATE_HEADERS=setting)
    client.chat.complete(model="m", messages=MESSAGES)

    def send(client: Any) -> Any:
        return client.chat.complete_async(model="m", messages=MESSAGES)

    run(send)
    expected: list[str | None] = [
        f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
        if sent
        else None
        for context in (span.get_span_context() for span in emission.spans)
        if context is not None
    ]
    assert [entry.headers.get("traceparent") for entry in model.ledger.entries] == expected
