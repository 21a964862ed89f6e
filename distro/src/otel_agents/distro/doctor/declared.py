"""Signals under declarative configuration: what the file says; endpoints are not checked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, Final

from otel_agents.distro.addresses import redacted
from otel_agents.distro.doctor.endpoints import SignalStatus
from otel_agents.distro.environment import Environment, SignalName
from otel_agents.distro.otlp.exporter_logs import captured_logs

__all__ = ["declared", "file_problem", "is_declared"]

_FILE: Final = "OTEL_CONFIG_FILE"
_PACKAGE: Final = "opentelemetry.configuration"
_PROCESSORS: Final[MappingProxyType[SignalName, tuple[str, str]]] = MappingProxyType(
    {
        "traces": ("tracer_provider", "processors"),
        "metrics": ("meter_provider", "readers"),
        "logs": ("logger_provider", "processors"),
    }
)
_PROTOCOLS: Final = MappingProxyType({"otlp_http": "http/protobuf", "otlp_grpc": "grpc"})
_DEFAULTS: Final = MappingProxyType(
    {"otlp_http": "http://localhost:4318/v1/{}", "otlp_grpc": "http://localhost:4317"}
)


def is_declared(environment: Environment) -> bool:
    """Return whether a file, and not the environment, configures the export."""
    path = environment.text(_FILE)
    return path is not None and os.path.isfile(path.value) and find_spec(_PACKAGE) is not None


def file_problem(environment: Environment) -> str | None:
    """Return why the file is not used, or not as it is."""
    path = environment.text(_FILE)
    if path is None:
        return None
    if not os.path.isfile(path.value):
        return f"{_FILE}={path.value} is not a file; the environment's settings are used"
    if find_spec(_PACKAGE) is None:
        return f"{_FILE} is set, but opentelemetry-configuration is not installed"
    try:
        _load(path.value)
    except Exception as error:  # noqa: BLE001  a broken file is a finding
        return f"{_FILE}={path.value} cannot be used ({' '.join(str(error).split())})"
    return None


def declared(environment: Environment) -> tuple[SignalStatus, ...]:
    """Return how the file exports each signal; nothing without a file."""
    path = environment.text(_FILE)
    if path is None or not is_declared(environment) or file_problem(environment) is not None:
        return ()
    configuration = _load(path.value)
    return tuple(_signal(configuration, name) for name in _PROCESSORS)


def _load(path: str) -> Any:
    with captured_logs():
        return import_module(_PACKAGE).load_config_file(path)


def _signal(configuration: Any, name: SignalName) -> SignalStatus:
    provider, processors = _PROCESSORS[name]
    exporters = dict(_exporters(getattr(getattr(configuration, provider), processors, None) or ()))
    for kind, protocol in _PROTOCOLS.items():
        if kind in exporters:
            endpoint: str | None = getattr(exporters[kind], "endpoint", None)
            where = redacted(endpoint or _DEFAULTS[kind].format(name))
            source = _FILE if endpoint else "default"
            return SignalStatus(name, ",".join(exporters), _FILE, where, source, protocol)
    return SignalStatus(name, ",".join(exporters) or "none", _FILE)


def _exporters(processors: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for processor in processors:
        for _, batching in _set_fields(processor):
            yield from _set_fields(getattr(batching, "exporter", None))


def _set_fields(model: Any) -> Iterator[tuple[str, Any]]:
    if is_dataclass(model):
        for it in fields(model):
            value = getattr(model, it.name)
            if value is not None:
                yield it.name, value
