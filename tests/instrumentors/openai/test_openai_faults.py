"""Our error, or one of application code that we call, costs no span and raises nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from failing_hooks import check_failing_hooks
from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel


@pytest.mark.parametrize(("stream", "refused"), [(False, False), (False, True), (True, False)])
def test_our_error_costs_no_span(
    stream: bool, refused: bool, client: openai.OpenAI, model: ScriptedModel
) -> None:
    def converse() -> Any:
        model.script_by(lambda request: Failure(401) if refused else Response("answer"))
        request: Any = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        try:
            response: Any = client.chat.completions.create(stream=stream, **request)
            return len(list(response)) if stream else response.choices[0].message.content
        except openai.AuthenticationError as error:
            return type(error)

    assert check_failing_hooks(OpenAIInstrumentor, converse) > 3


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
    client: openai.OpenAI,
    instrument: Callable[..., None],
    emission: Emission,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reported: list[str] = []
    monkeypatch.setattr(errors, "internal_error", reported.append)
    instrument(OTEL_AGENTS_PROPAGATE_HEADERS="*")
    client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
    assert (emission.names, reported) == (["chat m"], ["propagating a trace"])
