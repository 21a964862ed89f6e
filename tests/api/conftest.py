"""The application's own operations, emitted to providers in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from otel_agents import api
from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.tables import Counts
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission


@pytest.fixture
def configured(emission: Emission) -> Iterator[Callable[..., None]]:
    """Return a function that emits to ``emission``, with variables as its arguments."""

    def configure(**environ: str) -> None:
        api.configure(**emission.providers, settings=Settings.read(environ))

    configure()
    yield configure
    api.configure()


@pytest.fixture(autouse=True)
def unwarned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log each warning again."""
    monkeypatch.setattr(errors, "warned", Counts())


@pytest.fixture
def with_content(configured: Callable[..., None]) -> None:
    configured(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
