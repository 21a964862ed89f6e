"""The effective settings, each with the source of its value."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from otel_agents.distro.environment import Environment
from otel_agents.distro.starting.privacy import VENDOR_TELEMETRY
from otel_agents.instrumentors.settings import SETTINGS, Settings

__all__ = ["SettingValue", "VendorTelemetryStatus", "effective_settings", "vendor_telemetry"]

_STANDARD: Final = MappingProxyType(
    {
        "OTEL_SERVICE_NAME": "the program's name",
        "OTEL_PROPAGATORS": "tracecontext,baggage",
        "OTEL_TRACES_SAMPLER": "parentbased_always_on",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "10",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "none",
    }
)
"""The most relevant standard variables, with this distribution's defaults."""


@dataclass(frozen=True)
class SettingValue:
    """One setting: its variable, its text, and its source: ``default`` or the variable."""

    name: str
    value: str
    source: str


@dataclass(frozen=True)
class VendorTelemetryStatus:
    """Whether usage statistics of a library are sent to its vendor, and how to change that.

    ``sent`` is ``no``, or ``as`` and the variable by which the user has decided.
    """

    library: str
    what: str
    sent: str
    to_change: str


def vendor_telemetry(environment: Environment) -> tuple[VendorTelemetryStatus, ...]:
    """Return the status of all known vendor telemetry, whether or not the library is installed."""
    disabled = "OTEL_SDK_DISABLED"
    found: list[VendorTelemetryStatus] = []
    for row in VENDOR_TELEMETRY:
        given = environment.text(row.variable)
        if given is not None:
            sent, turn = f"as {row.variable}={given.value} says", f"unset {row.variable}"
        elif environment.flag(disabled):
            sent, turn = f"as without otel-agents ({disabled})", f"unset {disabled}"
        else:
            sent, turn = "no", f"{row.variable}={row.on}"
        found.append(VendorTelemetryStatus(row.library, row.what, sent, turn))
    return tuple(found)


def effective_settings(
    environment: Environment, used: Mapping[str, str | None]
) -> tuple[tuple[SettingValue, ...], list[str]]:
    """Return the settings, and a sentence for each invalid setting of otel-agents.

    Args:
        environment: The variables as the user set them.
        used: The values used for invalid standard variables; None for the default.
    """
    invalid = _invalid_settings()
    bad = {line.partition("=")[0] for line in invalid} | used.keys()
    defaults = {**_STANDARD, **{setting.name: setting.default for setting in SETTINGS}}
    values: list[SettingValue] = []
    for name, default in defaults.items():
        given = environment.text(name)
        if given is None or name in bad:
            values.append(SettingValue(name, used.get(name) or default, "default"))
        else:
            values.append(SettingValue(name, given.value, name))
    return tuple(values), invalid


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage().removeprefix("otel-agents: "))


def _invalid_settings() -> list[str]:
    """Return the messages of `Settings.read` about this environment, whoever read it before."""
    log, lines = logging.getLogger("otel_agents"), _Lines()
    log.addHandler(lines)
    propagate, log.propagate = log.propagate, False
    try:
        Settings.read(os.environ)
    finally:
        log.propagate = propagate
        log.removeHandler(lines)
    return lines.lines
