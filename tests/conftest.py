"""What tests get: an emission that is checked against the conventions, a model, strict errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from emission import Emission

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls import disposal
from otel_agents.testing.scripted_model import ScriptedModel

pytest_plugins = ["conformance_plugin", "pytester"]


@pytest.fixture
def emission(conforming: Callable[[Emission], None]) -> Iterator[Emission]:
    """Providers in memory; whatever they emit must conform."""
    emission = Emission()
    yield emission
    disposal.drain(5)
    conforming(emission)
    emission.encode()
    emission.close()


@pytest.fixture(autouse=True)
def strict_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in our own code fails the test instead of being logged."""

    def reraise(doing: str) -> None:
        raise  # noqa: PLE0704  called while an exception is being handled

    monkeypatch.setattr(errors, "internal_error", reraise)


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    """Provides a model that answers what the test scripts, and bills it."""
    with ScriptedModel() as model:
        yield model
