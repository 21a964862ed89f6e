"""Instrumented agents in front of the scripted model."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import ag2_agents
import pytest
from framework_fixtures import lasting_loop, pytest_itemcollected, pytest_unconfigure
from sdk_instrumentors import sdk_instrumentors

from otel_agents.instrumentors.ag2 import AG2Instrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import Response, ScriptedModel

__all__ = ["lasting_loop", "pytest_itemcollected", "pytest_unconfigure"]

collect_ignore = (
    ["test_ag2_flat.py", "test_ag2_providers.py"] if ag2_agents.VERSION < (1, 2) else []
)


@pytest.fixture(scope="session", autouse=True)
def unverified() -> Iterator[None]:
    """Load no certificate authorities: AG2 creates a client per turn, and loading takes most of its time."""

    def load_none(*args: Any, **kwargs: Any) -> None:
        """Load nothing: no test uses TLS."""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl.SSLContext, "load_verify_locations", load_none)
        yield


@pytest.fixture(scope="session")
def served() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def model(served: ScriptedModel) -> ScriptedModel:
    """Return the session's model without script and ledger entries."""
    served.script_by(lambda request: Response("done"))
    served.ledger.clear()
    return served


@pytest.fixture
def config(model: ScriptedModel) -> Any:
    return ag2_agents.config(model)


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument AG2 and the SDKs."""
    with instrumenting(emission, AG2Instrumentor(), *sdk_instrumentors()) as instrument:
        yield instrument


@pytest.fixture(params=["sdk on", "sdk off"])
def instrumented(instrument: Callable[..., None], request: pytest.FixtureRequest) -> None:
    """Instrument with default settings, with and without the SDKs' instrumentors."""
    instrument(sdk=request.param == "sdk on")


@pytest.fixture
def ledger(model: ScriptedModel, emission: Emission) -> Callable[[], None]:
    """Return a check that model spans match the ledger, and that agent spans have their sums."""

    def check() -> None:
        spans: list[Any] = [s for s in emission.spans if s.name.startswith(("chat", "generate"))]
        for name in ("input_tokens", "output_tokens"):
            reported = sorted(s.attributes[f"gen_ai.usage.{name}"] for s in spans)
            assert reported == sorted(getattr(e, name) for e in model.ledger.entries)
        roots: list[Any] = [s for s in emission.spans if s.name.startswith("invoke_agent")]
        ids = {s.context.span_id for s in roots}
        every: list[Any] = [span for span in emission.spans if span.parent]
        parents = {s.context.span_id: s.parent.span_id for s in every}

        def nested(span: Any) -> bool:
            above = parents.get(span.context.span_id)
            while above is not None and above not in ids:
                above = parents.get(above)
            return above is not None

        sums: list[Any] = [
            s.attributes["gen_ai.usage.input_tokens"] for s in roots if not nested(s)
        ]
        assert sum(sums) == model.ledger.input_tokens

    return check
