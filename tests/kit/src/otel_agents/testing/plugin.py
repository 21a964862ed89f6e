"""A pytest plugin for tests of an instrumentor. It is loaded only by a conftest that names it.

    pytest_plugins = ["otel_agents.testing.plugin"]

    @pytest.fixture
    def instrument(emission):
        with instrumenting(emission, MyInstrumentor()) as instrument:
            yield instrument

A test then names the fixtures that it needs:

    def test_an_agent(instrument, emission, model):
        instrument()
        model.script(Response("Sunny."))
        run_agent("How is the weather?", base_url=model.openai_url)
        assert emission.tree() == ["invoke_agent planner", "  chat gpt-4o-mini"]

The test fails if telemetry does not conform to the conventions or cannot be encoded as OTLP, and
if the instrumentor's own code raises, which an application would not notice.
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
    """Return a function that fails the test if an emission does not conform."""

    def conform(emission: Emission) -> None:
        findings = findings_of(emission)
        if findings:
            pytest.fail("\n".join(map(str, dict.fromkeys(findings))), pytrace=False)

    return conform


@pytest.fixture
def emission(conforming: Callable[[Emission], None]) -> Iterator[Emission]:
    """Provide in-memory providers; what they emit must conform and be valid OTLP."""
    emission = Emission(noticing=True)
    yield emission
    try:
        hosting.drain_streams(_DRAIN_SECONDS)
        conforming(emission)
        emission.encode()
    finally:
        emission.close()


@pytest.fixture(autouse=True)
def strict_errors() -> Iterator[None]:
    """Fail the test on an error in an instrumentor's own code instead of logging it."""
    with strictness.strict_errors():
        yield


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    """Provide a model that returns what the test scripts, and bills it."""
    with ScriptedModel() as model:
        yield model
