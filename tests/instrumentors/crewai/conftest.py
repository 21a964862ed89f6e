"""Instrumented crews in front of the scripted model."""

from __future__ import annotations

import gc
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version
from typing import Any

import pytest
from emission import Emission

_STORAGE = tempfile.mkdtemp()
os.environ.update(  # read when it is imported: nothing is sent home, asked for or kept
    CREWAI_DISABLE_TELEMETRY="true",
    CREWAI_DISABLE_TRACKING="true",
    CREWAI_TRACING_ENABLED="false",
    CREWAI_TESTING="true",
    CREWAI_STORAGE_DIR=_STORAGE,
    HOME=_STORAGE,
    ANONYMIZED_TELEMETRY="false",
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    OPENAI_API_KEY="none",
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    crewai: Any = import_module("crewai")

from otel_agents.distro.scripted_model import Answer, ScriptedModel
from otel_agents.instrumentors.crewai import CrewAIInstrumentor
from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.settings import Settings

OLDEST = version("crewai").startswith("0.")
_NEWER = ("bus", "tools", "turns")
collect_ignore = [f"test_crewai_{name}.py" for name in (_NEWER if OLDEST else ("react",))]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let CrewAI warn of itself, as it does in every version; we may not."""
    item.add_marker(pytest.mark.filterwarnings("ignore", r"error:::otel_agents\..*"))


@pytest.fixture(scope="session", autouse=True)
def collected() -> Iterator[None]:
    """Collects, in the end, the loops and sockets that CrewAI has left open."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        if OLDEST:  # its agents know no tools but those that they are told of in the prompt
            model.script_by(lambda request: Answer("Thought: I know it.\nFinal Answer: it"))
        monkeypatch.setenv("OPENAI_BASE_URL", model.openai_url)
        monkeypatch.setenv("OPENAI_API_BASE", model.openai_url)
        yield model


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instruments CrewAI and what it asks models through, with these variables' settings."""
    instrumentors = [CrewAIInstrumentor(), LiteLLMInstrumentor(), OpenAIInstrumentor()]

    def instrumenting(**environ: str) -> None:
        for instrumentor in instrumentors:
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


@pytest.fixture
def llm(model: ScriptedModel) -> Any:
    """A model that two agents may share."""
    return crewai.LLM(model="gpt-4o-mini", base_url=model.openai_url, api_key="none")
