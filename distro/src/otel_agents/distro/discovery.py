"""Installed entry points and distributions."""

from __future__ import annotations

from importlib.metadata import EntryPoint, PackageNotFoundError, version
from typing import Final

from otel_agents.instrumentors import hosting

__all__ = ["INSTRUMENTED", "exporter_named", "no_such_exporter", "registered", "versions"]

INSTRUMENTED: Final = "from opentelemetry.instrumentation.auto_instrumentation import run; run()"
"""Python code that runs a command as ``opentelemetry-instrument`` does."""
_PRIVATE_PREFIX: Final = "otel_agents_"
"""Prefix of names that users do not set."""
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


def registered(group: str, name: str | None = None) -> list[EntryPoint]:
    """Return the entry points of ``group``, or those of them with ``name``."""
    return [point for point in hosting.registered(group) if name is None or point.name == name]


def exporter_named(signal: str, name: str) -> EntryPoint | None:
    """Return the exporter of ``signal`` that ``OTEL_*_EXPORTER`` calls ``name``."""
    return next(iter(registered(f"opentelemetry_{signal}_exporter", name)), None)


def no_such_exporter(signal: str, name: str) -> str:
    """Return a message about an exporter that is not installed."""
    found = {point.name for point in registered(f"opentelemetry_{signal}_exporter")}
    known = ", ".join(sorted(it for it in found if not it.startswith(_PRIVATE_PREFIX)))
    return (
        f"no exporter of {signal} is named {name} (OTEL_{signal.upper()}_EXPORTER); known: {known}"
    )


def versions() -> dict[str, str]:
    """Return the versions of the relevant distributions that are installed."""
    found: dict[str, str] = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
