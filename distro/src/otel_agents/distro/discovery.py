"""The entry points of what is installed, scanned once: a scan reads every distribution there is."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any, Final

__all__ = ["exporter_named", "no_such_exporter", "registered", "versions"]

_OURS: Final = "otel_agents_"
"""How the names begin that are not for users."""
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


@lru_cache(maxsize=1)
def _all() -> Any:
    return entry_points()  # its type differs before Python 3.12; `select` is common


def registered(group: str, name: str | None = None) -> list[EntryPoint]:
    """The entry points of ``group``, those with ``name`` if it is given."""
    points: list[EntryPoint] = list(_all().select(group=group))
    return [point for point in points if name is None or point.name == name]


def exporter_named(signal: str, name: str) -> EntryPoint | None:
    """The exporter of ``signal`` that ``OTEL_*_EXPORTER`` calls so."""
    return next(iter(registered(f"opentelemetry_{signal}_exporter", name)), None)


def no_such_exporter(signal: str, name: str) -> str:
    """The line about an exporter that is not installed."""
    found = {point.name for point in registered(f"opentelemetry_{signal}_exporter")}
    known = ", ".join(sorted(it for it in found if not it.startswith(_OURS)))
    return (
        f"no exporter of {signal} is named {name} (OTEL_{signal.upper()}_EXPORTER); known: {known}"
    )


def versions() -> dict[str, str]:
    """The versions of what matters here, by distribution; what is not installed is left out."""
    found: dict[str, str] = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
