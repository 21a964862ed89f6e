"""A pytest plugin for the tests of an instrumentor; nothing loads it but a conftest that names it.

    pytest_plugins = ["otel_agents.testing.plugin"]

    @pytest.fixture
    def instrument(emission):
        with instrumenting(emission, MyInstrumentor()) as instrument:
            yield instrument

A test then asks for what it needs:

    def test_an_agent(instrument, emission, model):
        instrument()
        model.script(Response("Sunny."))
        ask_an_agent("How is the weather?", base_url=model.openai_url)
        assert emission.tree() == ["invoke_agent planner", "  chat gpt-4o-mini"]

It fails where something that it emits does not conform to the conventions, or cannot be sent, and
where the instrumentor's own code raises, which an application would not notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from otel_agents.instrumentors import hosting, strictness
from otel_agents.testing.conformance import findings_of
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["conforming", "emission", "model", "strict_errors"]

_DRAIN_SECONDS = 5


@pytest.fixture
def conforming() -> Callable[[Emission], None]:
    """Fails the test that emitted something that does not conform."""

    def conform(emission: Emission) -> None:
        findings = findings_of(emission)
        if findings:
            pytest.fail("\n".join(map(str, dict.fromkeys(findings))), pytrace=False)

    return conform


@pytest.fixture
def emission(conforming: Callable[[Emission], None]) -> Iterator[Emission]:
    """Providers in memory; whatever they emit must conform and be fit for OTLP."""
    emission = Emission()
    yield emission
    try:
        hosting.drain_streams(_DRAIN_SECONDS)
        conforming(emission)
        emission.encode()
    finally:
        emission.close()


@pytest.fixture(autouse=True)
def strict_errors() -> Iterator[None]:
    """An error in an instrumentor's own code fails the test instead of being logged."""
    with strictness.strict_errors():
        yield


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    """Provides a model that answers what the test scripts, and bills it."""
    with ScriptedModel() as model:
        yield model
