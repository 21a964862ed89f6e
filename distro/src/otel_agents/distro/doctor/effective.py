"""The settings as they are now, each with where its value is from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from otel_agents.distro.environment import Environment
from otel_agents.distro.starting.privacy import PHONE_HOME
from otel_agents.instrumentors.settings import SETTINGS, Settings

__all__ = ["Homeward", "SettingValue", "effective_settings", "homeward"]

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
"""Standard variables that are asked about most, with what holds under this distribution."""


@dataclass(frozen=True)
class SettingValue:
    """One setting: its variable, its text, and ``default`` or the variable that it is from."""

    name: str
    value: str
    source: str


@dataclass(frozen=True)
class Homeward:
    """What a library tells its maker, whether that is stopped here, and how to turn it round.

    ``sent`` is ``no`` where it is, else ``as`` and the variable by which the user has decided.
    """

    library: str
    what: str
    sent: str
    turn_round: str


def homeward(environment: Environment) -> tuple[Homeward, ...]:
    """What libraries tell their makers, installed or not."""
    disabled = "OTEL_SDK_DISABLED"
    found: list[Homeward] = []
    for row in PHONE_HOME:
        given = environment.text(row.variable)
        if given is not None:
            sent, turn = f"as {row.variable}={given.value} says", f"unset {row.variable}"
        elif environment.flag(disabled):
            sent, turn = f"as without otel-agents ({disabled})", f"unset {disabled}"
        else:
            sent, turn = "no", f"{row.variable}={row.on}"
        found.append(Homeward(row.library, row.what, sent, turn))
    return tuple(found)


def effective_settings(
    environment: Environment, used: Mapping[str, str | None]
) -> tuple[tuple[SettingValue, ...], list[str]]:
    """The settings, and a sentence for each of ours that is not understood.

    Args:
        environment: The variables as the user set them.
        used: What is used in place of standard variables that are not understood; None for the
            default.
    """
    misread = _misread()
    bad = {line.partition("=")[0] for line in misread} | used.keys()
    defaults = {**_STANDARD, **{setting.name: setting.default for setting in SETTINGS}}
    values: list[SettingValue] = []
    for name, default in defaults.items():
        given = environment.text(name)
        if given is None or name in bad:
            values.append(SettingValue(name, used.get(name) or default, "default"))
        else:
            values.append(SettingValue(name, given.value, name))
    return tuple(values), misread


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage().removeprefix("otel-agents: "))


def _misread() -> list[str]:
    """What `Settings.read` says about this environment."""
    log, lines = logging.getLogger("otel_agents"), _Lines()
    log.addHandler(lines)
    try:
        Settings.read()
    finally:
        log.removeHandler(lines)
    return lines.lines
