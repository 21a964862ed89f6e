"""Law 3 for every way to call an SDK: the spans have the billed tokens, once.

A suite subclasses `LedgerLaws` and parametrizes it with ``way``, ``call`` and ``streamed``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from stainless_calls import Call, Way

from otel_agents.instrumentors import AgentInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["LedgerLaws", "check_billed"]


@dataclass(frozen=True)
class Bound(Call):
    """A call that runs ``then()`` once its method is bound, and before it is called."""

    then: Callable[[], object] = lambda: None

    def of(self, client: Any, *between: str) -> Callable[..., Any]:
        method = super().of(client, *between)
        self.then()
        return method


def check_billed(emission: Emission, model: ScriptedModel) -> dict[str, Any]:
    """Check that the only span and the metrics have the tokens of the only request.

    Returns:
        The span's usage, by the names after ``gen_ai.usage.``.
    """
    attributes, ledger = dict(emission.span.attributes or {}), model.ledger
    assert ledger.requests == 1
    usage = {
        name.removeprefix("gen_ai.usage."): value
        for name, value in attributes.items()
        if name.startswith("gen_ai.usage.")
    }
    assert usage["input_tokens"] == ledger.input_tokens > 0
    assert usage.get("output_tokens", 0) == ledger.output_tokens
    assert "otel_agents.stream.abandoned" not in attributes
    recorded = dict(emission.points())["gen_ai.client.token.usage"]
    assert sum(value for _, value in recorded) == ledger.input_tokens + ledger.output_tokens
    return usage


class LedgerLaws:
    """Laws of each way; the suite has the fixtures of `stainless_fixtures`."""

    def script(self, model: ScriptedModel) -> None:
        """Script the response whose usage is compared."""

    def check_usage(self, usage: dict[str, Any]) -> None:
        """Check what else the span has of the usage, by the names after ``gen_ai.usage.``."""

    @pytest.mark.usefixtures("instrumented")
    def test_the_span_has_the_billed_tokens(
        self,
        way: Way,
        call: Call,
        streamed: bool,
        url: str,
        model: ScriptedModel,
        emission: Emission,
    ) -> None:
        self.script(model)
        way(call, url)
        self.check_usage(check_billed(emission, model))
        recorded = (emission.span.attributes or {}).get("gen_ai.request.stream", False)
        assert recorded is streamed

    def test_a_client_used_before_instrumenting_is_recorded(
        self,
        way: Way,
        call: Call,
        streamed: bool,
        url: str,
        model: ScriptedModel,
        emission: Emission,
        instrument: Callable[..., None],
    ) -> None:
        """`with_raw_response` and its like bind the methods at their first use."""
        way(Bound(**vars(call), then=instrument), url)
        assert len(emission.spans) == model.ledger.requests == 1

    def test_after_uninstrumenting_nothing_is_recorded(
        self,
        way: Way,
        call: Call,
        streamed: bool,
        url: str,
        model: ScriptedModel,
        emission: Emission,
        instrument: Callable[..., None],
        instrumentor: type[AgentInstrumentor],
    ) -> None:
        instrument()
        way(Bound(**vars(call), then=instrumentor().uninstrument), url)
        assert emission.spans == ()
        assert model.ledger.requests == 1
