"""The doctor: what is installed, instrumented, in conflict, configured; what endpoints reply.

The keys of ``otel-agents doctor --json`` are the fields of `Examination`, `Framework`,
`OtherLibrary`, `EmittingScope`, `SettingValue`, `VendorTelemetryStatus` and `SignalStatus`; ``targets`` are
``{"target", "state", "detail"}``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from platform import python_version
from typing import Any, Final

from otel_agents.distro.discovery import exporter_named, no_such_exporter, registered, versions
from otel_agents.distro.doctor.declared import declared, file_problem, is_declared
from otel_agents.distro.doctor.effective import (
    SettingValue,
    VendorTelemetryStatus,
    effective_settings,
    vendor_telemetry,
)
from otel_agents.distro.doctor.endpoints import SignalStatus, check_signal, endpoint_findings
from otel_agents.distro.doctor.frameworks import Framework, examine_frameworks
from otel_agents.distro.doctor.others import OtherLibrary, other_libraries
from otel_agents.distro.doctor.program import observe
from otel_agents.distro.doctor.scopes import EmittingScope
from otel_agents.distro.environment import DISABLED_INSTRUMENTATIONS, SIGNALS, Environment
from otel_agents.distro.starting.invalid import invalid_variables
from otel_agents.instrumentors.hosting import GROUP, is_ours, metadata_problem, missing_hooks
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv.foreign import scope_named

__all__ = ["Examination", "examine"]


_FROM_BAGGAGE: Final = "OTEL_AGENTS_IDENTITY_FROM_BAGGAGE"


@dataclass(frozen=True)
class Examination:
    """The report. ``findings`` are sentences, one per problem."""

    python: str
    packages: dict[str, str]
    frameworks: tuple[Framework, ...]
    others: tuple[OtherLibrary, ...]
    scopes: tuple[EmittingScope, ...]
    settings: tuple[SettingValue, ...]
    vendor_telemetry: tuple[VendorTelemetryStatus, ...]
    signals: tuple[SignalStatus, ...]
    findings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain objects."""
        return asdict(self)


def examine(timeout: float, environ: Mapping[str, str], program: Sequence[str] = ()) -> Examination:
    """Examine everything.

    Args:
        timeout: Seconds that the import of a framework may take.
        environ: The variables as the user set them.
        program: A command that is run, to see what it emits; empty for none.
    """
    reported: dict[str, str] = {}
    environment = Environment(environ, reported.__setitem__)
    replaced = tuple(invalid_variables(environment))
    frameworks = examine_frameworks(timeout)
    observed = observe(program, environ)
    signals = declared(environment) or tuple(check_signal(environment, name) for name in SIGNALS)
    used = {**dict.fromkeys(reported), **{it.variable: it.used for it in replaced}}
    settings, invalid_settings = effective_settings(environment, used)
    findings = [
        *invalid_settings,
        *(it.line for it in replaced),
        *reported.values(),
        *missing_hooks(),
        *_known_scopes(),
        *_general(environment),
        *_metadata_problem(environment),
        *(finding for framework in frameworks for finding in framework.findings),
        *endpoint_findings(signals),
        *observed.findings,
    ]
    return Examination(
        python_version(),
        versions(),
        frameworks,
        other_libraries(),
        observed.scopes,
        settings,
        vendor_telemetry(environment),
        signals,
        tuple(findings),
    )


def _exporters(environment: Environment) -> Iterator[str]:
    for signal in SIGNALS:
        for name in environment.signal(signal).exporter_names:
            if exporter_named(signal, name) is None:
                yield no_such_exporter(signal, name)


def _metadata_problem(environment: Environment) -> Iterator[str]:
    """Yield each foreign instrumentor with broken metadata, which stop OpenTelemetry's loader."""
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


def _known_scopes() -> Iterator[str]:
    """Yield each scope whose content a setting is to keep, although its library is known."""
    for name in Settings.read().foreign_content:
        scope = scope_named(name)
        if scope is not None:
            yield (
                f"OTEL_AGENTS_FOREIGN_CONTENT={name} does nothing: that is {scope.library}, which "
                "otel-agents knows; to keep its content, enable content capture"
            )


def _general(environment: Environment) -> Iterator[str]:
    others = {entry_point.name for entry_point in registered("opentelemetry_distro")}
    others -= {"otel_agents"}
    if others and environment.text("OTEL_PYTHON_DISTRO") is None:
        yield (
            f"another distribution is installed ({', '.join(sorted(others))}) and the first one "
            "found wins: set OTEL_PYTHON_DISTRO=otel_agents and "
            "OTEL_PYTHON_CONFIGURATOR=otel_agents"
        )
    if environment.flag("OTEL_SDK_DISABLED"):
        yield "OTEL_SDK_DISABLED=true: nothing is emitted"
    if trusted := environment.listed(_FROM_BAGGAGE):
        yield (
            f"{_FROM_BAGGAGE} takes {', '.join(trusted)} from the baggage header of requests: "
            "whoever can send a header to this process writes them, so set it only behind a proxy "
            "that removes the header"
        )
    if (problem := file_problem(environment)) is not None:
        yield problem
    if is_declared(environment):
        yield (
            "OTEL_CONFIG_FILE configures the SDK: exporters and their variables are ignored, "
            "metrics and logs have the SDK's own batching, and our defaults do not apply"
        )
    else:
        yield from _exporters(environment)
