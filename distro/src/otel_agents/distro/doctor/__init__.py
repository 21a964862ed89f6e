"""The doctor: what is installed, what is instrumented and how, what conflicts, who answers.

The keys of ``otel-agents doctor --json`` are the fields of `Examination`, of `Framework`,
`SettingValue`, `Homeward` and `SignalAnswer`; ``targets`` are ``{"target", "state", "detail"}``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from platform import python_version
from typing import Any

from otel_agents.distro.discovery import exporter_named, no_such_exporter, registered, versions
from otel_agents.distro.doctor.declared import declared, file_problem, is_declared
from otel_agents.distro.doctor.effective import (
    Homeward,
    SettingValue,
    effective_settings,
    homeward,
)
from otel_agents.distro.doctor.endpoints import SignalAnswer, ask, unanswered
from otel_agents.distro.doctor.frameworks import Framework, examine_frameworks
from otel_agents.distro.environment import DISABLED_INSTRUMENTATIONS, SIGNALS, Environment
from otel_agents.distro.starting.unusable import unusable
from otel_agents.instrumentors.hosting import GROUP, is_ours, metadata_problem, missing_hooks

__all__ = ["Examination", "examine"]


@dataclass(frozen=True)
class Examination:
    """What was found. ``findings`` are sentences; none means that all is well."""

    python: str
    packages: dict[str, str]
    frameworks: tuple[Framework, ...]
    settings: tuple[SettingValue, ...]
    homeward: tuple[Homeward, ...]
    signals: tuple[SignalAnswer, ...]
    findings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as plain objects."""
        return asdict(self)


def examine(timeout: float, environ: Mapping[str, str]) -> Examination:
    """Look at everything.

    Args:
        timeout: Seconds that a framework may take to be imported.
        environ: The variables as the user set them.
    """
    told: dict[str, str] = {}
    environment = Environment(environ, told.__setitem__)
    replaced = tuple(unusable(environment))
    frameworks = examine_frameworks(timeout)
    signals = declared(environment) or tuple(ask(environment, name) for name in SIGNALS)
    used = {**dict.fromkeys(told), **{it.variable: it.used for it in replaced}}
    settings, misread = effective_settings(environment, used)
    findings = [
        *misread,
        *(it.line for it in replaced),
        *told.values(),
        *missing_hooks(),
        *_general(environment),
        *_unreadable(environment),
        *(finding for framework in frameworks for finding in framework.findings),
        *unanswered(signals),
    ]
    return Examination(
        python_version(),
        versions(),
        frameworks,
        settings,
        homeward(environment),
        signals,
        tuple(findings),
    )


def _exporters(environment: Environment) -> Iterator[str]:
    for signal in SIGNALS:
        for name in environment.signal(signal).exporter_names:
            if exporter_named(signal, name) is None:
                yield no_such_exporter(signal, name)


def _unreadable(environment: Environment) -> Iterator[str]:
    """Each instrumentor of others whose metadata are broken, which end the loader of OpenTelemetry."""
    disabled = environment.listed(DISABLED_INSTRUMENTATIONS)
    for entry_point in registered(GROUP):
        if is_ours(entry_point) or {"*", entry_point.name} & set(disabled):
            continue
        if (why := metadata_problem(entry_point)) is not None:
            yield (
                f"the instrumentor {entry_point.name} is not loaded, as the metadata of its "
                f"distribution cannot be read ({why}), and opentelemetry-instrument may load none "
                "after it; install it again, uninstall it, or set "
                f"{DISABLED_INSTRUMENTATIONS}={entry_point.name}"
            )


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
    if (problem := file_problem(environment)) is not None:
        yield problem
    if is_declared(environment):
        yield (
            "OTEL_CONFIG_FILE configures the SDK: exporters and their variables are ignored, "
            "metrics and logs have the SDK's own batching, and no defaults of ours hold"
        )
    else:
        yield from _exporters(environment)
