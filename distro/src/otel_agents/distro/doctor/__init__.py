"""The doctor: what is installed, what is instrumented and how, what conflicts, who answers.

The keys of ``otel-agents doctor --json`` are the fields of `Examination`, of `Framework`,
`SettingValue` and `SignalAnswer`; ``targets`` are ``{"target", "state", "detail"}``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from platform import python_version
from typing import Any, Final

from otel_agents.distro.discovery import registered
from otel_agents.distro.doctor.effective import SettingValue, effective_settings
from otel_agents.distro.doctor.endpoints import SignalAnswer, ask, unanswered
from otel_agents.distro.doctor.frameworks import Framework, examine_frameworks
from otel_agents.distro.environment import SIGNALS, Environment

__all__ = ["Examination", "examine"]

_PACKAGES: Final = (
    "otel-agents",
    "otel-agents-instrumentors",
    "otel-agents-semconv",
    "opentelemetry-api",
    "opentelemetry-sdk",
    "opentelemetry-instrumentation",
    "opentelemetry-exporter-otlp",
    "opentelemetry-configuration",
)


@dataclass(frozen=True)
class Examination:
    """What was found. ``findings`` are sentences; none means that all is well."""

    python: str
    packages: dict[str, str]
    frameworks: tuple[Framework, ...]
    settings: tuple[SettingValue, ...]
    signals: tuple[SignalAnswer, ...]
    findings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as plain objects."""
        return asdict(self)


def examine(timeout: float) -> Examination:
    """Look at everything; a framework may take ``timeout`` seconds to be imported."""
    environment = Environment()
    settings, misread = effective_settings()
    frameworks = examine_frameworks(timeout)
    signals = tuple(ask(environment, name) for name in SIGNALS)
    findings = [
        *misread,
        *_general(environment),
        *(finding for framework in frameworks for finding in framework.findings),
        *unanswered(signals),
    ]
    return Examination(
        python_version(), _packages(), frameworks, settings, signals, tuple(findings)
    )


def _packages() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _general(environment: Environment) -> Iterator[str]:
    others = {entry_point.name for entry_point in registered("opentelemetry_distro")}
    others -= {"otel_agents"}
    if others and environment.text("OTEL_PYTHON_DISTRO") is None:
        yield (
            f"another distribution is installed ({', '.join(sorted(others))}) and the first one "
            "found wins: set OTEL_PYTHON_DISTRO=otel_agents and OTEL_PYTHON_CONFIGURATOR=otel_agents"
        )
    if environment.flag("OTEL_SDK_DISABLED"):
        yield "OTEL_SDK_DISABLED=true: nothing is emitted"
    if environment.text("OTEL_CONFIG_FILE") is not None:
        if find_spec("opentelemetry.configuration") is None:
            yield "OTEL_CONFIG_FILE is set, but opentelemetry-configuration is not installed"
        else:
            yield (
                "OTEL_CONFIG_FILE configures the SDK: exporters and their variables are ignored, "
                "metrics and logs have the SDK's own batching, and no defaults of ours hold"
            )
