"""Declarative configuration without the SDK's package for it."""

from __future__ import annotations

from pathlib import Path

from instrumented import instrumented, script
from otlp_receiver import Receiver

WORK = """
    from opentelemetry import trace

    trace.get_tracer("t").start_span("work").end()
"""


def test_without_the_package_the_environment_is_used_and_that_is_logged(tmp_path: Path) -> None:
    path = tmp_path / "otel.yaml"
    path.touch()
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, WORK),
            {
                "OTEL_CONFIG_FILE": str(path),
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            },
        )
    assert receiver.span_names == ["work"]
    assert done.err.splitlines() == [
        (
            "otel-agents: OTEL_CONFIG_FILE is set, but opentelemetry-configuration is not "
            "installed; the environment's settings are used"
        )
    ]
