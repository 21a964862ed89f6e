"""Each public class and function of the distro has an example in its docstring that runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from docstring_examples import example
from instrumented import plain_environ, running, script

from otel_agents import distro
from otel_agents.distro import tree

IMPORTS = """
from importlib.metadata import entry_points
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from otel_agents.distro import AgentsConfigurator, AgentsDistro
from otel_agents.distro.tree import TreeExporter
"""
NO_EXPORT = {
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
}
DOCUMENTED = [getattr(module, name) for module in (distro, tree) for name in module.__all__]


@pytest.mark.parametrize("documented", DOCUMENTED, ids=lambda it: it.__name__)
def test_an_example_runs(documented: object, tmp_path: Path) -> None:
    program = script(tmp_path, IMPORTS + example(documented))
    with running(program, plain_environ(NO_EXPORT), instrument=False, installed=True) as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Error" not in errors
