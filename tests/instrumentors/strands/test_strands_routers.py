"""A model that the framework calls through LiteLLM is counted once, too."""

from __future__ import annotations

import pytest
import strands_runs as runs
from native_laws import NativeLaws, Way


@pytest.fixture
def way() -> Way:
    return runs.litellm


class TestLiteLLM(NativeLaws):
    scope = "strands.telemetry.tracer"
