"""Instrumented agents with other providers, each simulated by the scripted model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from conversation_providers import PROVIDERS, Provider
from framework_fixtures import pytest_itemcollected, pytest_unconfigure
from sdk_instrumentors import sdk_instrumentors

from otel_agents.instrumentors.ag2_classic import AG2ClassicInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["pytest_itemcollected", "pytest_unconfigure"]


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> Provider:
    return PROVIDERS[request.param]


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument AutoGen and the SDKs."""
    with instrumenting(emission, AG2ClassicInstrumentor(), *sdk_instrumentors()) as instrument:
        yield instrument


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        for name in ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "GOOGLE_GEMINI_BASE_URL"):
            monkeypatch.setenv(name, model.base_url)
        monkeypatch.setenv("CEREBRAS_BASE_URL", model.base_url)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "none")
        yield model


@pytest.fixture(params=[True, False], ids=["sdk on", "sdk off"])
def sdk(request: pytest.FixtureRequest) -> bool:
    """Whether the SDKs are instrumented, too."""
    return request.param


@pytest.fixture
def instrumented(instrument: Callable[..., None], sdk: bool) -> None:
    """Instrument with the defaults, with and without the SDKs' instrumentors."""
    instrument(sdk=sdk)
