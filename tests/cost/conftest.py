"""The application's own operations, emitted to providers in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otel_agents import api
from otel_agents.instrumentors._core.telemetry import prices, telemetry
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> prices.Prices:
    """Use prices that nobody has looked up yet."""
    made = prices.Prices()
    monkeypatch.setattr(telemetry, "PRICES", made)
    return made


@pytest.fixture
def configured(emission: Emission, fresh: prices.Prices) -> Iterator[Callable[..., None]]:
    def configure(**environ: str) -> None:
        given: dict[str, Any] = {
            **emission.providers,
            "settings": Settings.read({"OTEL_AGENTS_COST": "true", **environ}),
        }
        api.configure(**given)

    configure()
    yield configure
    api.configure()
