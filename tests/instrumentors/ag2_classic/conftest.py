"""Instrumented agents in front of the scripted model."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator

import pytest
from conversations import autogen
from emission import Emission

from otel_agents.distro.scripted_model import ScriptedModel
from otel_agents.instrumentors.ag2_classic import AG2ClassicInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.settings import Settings

OLDEST = autogen.__version__.startswith("0.2.")
_NEWER = ("groups", "runs", "own")
collect_ignore = [f"test_classic_{name}.py" for name in (_NEWER if OLDEST else ())]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let AutoGen warn of itself, as it does in every version; we may not."""
    item.add_marker(pytest.mark.filterwarnings("ignore", r"error:::otel_agents\..*"))


@pytest.fixture(scope="session", autouse=True)
def collected() -> Iterator[None]:
    """Collects, in the end, the clients that AutoGen has left open."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instruments AutoGen, and the SDK below unless told not to, with these variables' settings."""
    instrumentors = [AG2ClassicInstrumentor(), OpenAIInstrumentor()]

    def instrumenting(*, sdk: bool = True, emission: Emission = emission, **environ: str) -> None:
        for instrumentor in instrumentors if sdk else instrumentors[:1]:
            instrumentor.instrument(
                **emission.providers, settings=Settings.read(environ), skip_dep_check=False
            )

    yield instrumenting
    for instrumentor in instrumentors:
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()


@pytest.fixture
def instrumented(instrument: Callable[..., None]) -> None:
    """Instruments with the defaults."""
    instrument()
