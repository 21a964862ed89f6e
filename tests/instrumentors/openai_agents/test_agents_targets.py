"""A target that is missing from a version that should have it is reported."""

from __future__ import annotations

import doctest
import json
import subprocess
import sys

from openai_agents_runs import VERSION
from packaging.version import Version
from renamed_targets import check_renamed

from otel_agents.instrumentors.openai_agents import OpenAIAgentsInstrumentor

_COUNTS = (("0.10", 31), ("0.9", 30), ("0.8", 29), ("0", 24))


def test_a_renamed_target_is_reported() -> None:
    count = check_renamed(OpenAIAgentsInstrumentor)
    assert count == next(count for since, count in _COUNTS if Version(since) <= VERSION)


def test_the_example_runs() -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(
        OpenAIAgentsInstrumentor, "OpenAIAgentsInstrumentor"
    )
    assert doctest.DocTestRunner().run(example) == (0, 4)


def test_the_doctor_names_openais_exporter_and_its_switch() -> None:
    command = [sys.executable, "-m", "otel_agents.distro", "doctor", "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    (found,) = (
        one for one in json.loads(done.stdout)["frameworks"] if one["name"] == "openai_agents"
    )
    assert "sends to api.openai.com" in found["own_telemetry"]
    assert "OPENAI_AGENTS_DISABLE_TRACING=1" in found["own_telemetry"]
