"""Invalid values of variables that OpenTelemetry reads itself: not installed, not a number.

OpenTelemetry raises for them on import or setup, and nothing would be recorded. We log a line for
each, and let OpenTelemetry read the valid part of the value, or the default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from otel_agents.distro.discovery import registered
from otel_agents.distro.environment import Environment
from otel_agents.distro.notices import warn
from otel_agents.distro.variables import replaced

__all__ = ["InvalidVariable", "invalid_variables", "valid_environment", "warn_of_invalid_variables"]

_PROPAGATORS: Final = "OTEL_PROPAGATORS"
_DETECTORS: Final = "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS"
_ID_GENERATOR: Final = "OTEL_PYTHON_ID_GENERATOR"
_SAMPLER: Final = "OTEL_TRACES_SAMPLER"
_RATIO: Final = "OTEL_TRACES_SAMPLER_ARG"
_EXEMPLARS: Final = "OTEL_METRICS_EXEMPLAR_FILTER"
_INTERVAL: Final = "OTEL_METRIC_EXPORT_INTERVAL"
_LIMITS: Final = (
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
)
_READ: Final = (_PROPAGATORS, _DETECTORS, _ID_GENERATOR, _SAMPLER, _EXEMPLARS, _INTERVAL)
_FILTERS: Final = ("always_on", "always_off", "trace_based")
_GROUPS: Final = MappingProxyType(
    {
        _PROPAGATORS: "opentelemetry_propagator",
        _DETECTORS: "opentelemetry_resource_detector",
        _ID_GENERATOR: "opentelemetry_id_generator",
        _SAMPLER: "opentelemetry_traces_sampler",
    }
)
_DEFAULTS: Final = MappingProxyType(
    {
        _PROPAGATORS: "tracecontext,baggage",
        _DETECTORS: "otel",
        _ID_GENERATOR: "random",
        _SAMPLER: "parentbased_always_on",
    }
)

_PACKAGES: Final = MappingProxyType(
    {
        (_PROPAGATORS, "b3"): "opentelemetry-propagator-b3",
        (_PROPAGATORS, "b3multi"): "opentelemetry-propagator-b3",
        (_PROPAGATORS, "jaeger"): "opentelemetry-propagator-jaeger",
        (_PROPAGATORS, "ottrace"): "opentelemetry-propagator-ot-trace",
        (_PROPAGATORS, "xray"): "opentelemetry-propagator-aws-xray",
        (_ID_GENERATOR, "xray"): "opentelemetry-sdk-extension-aws",
    }
)


@dataclass(frozen=True)
class InvalidVariable:
    """An invalid value; ``used`` replaces it, None for an unset variable."""

    variable: str
    line: str
    used: str | None


def invalid_variables(environment: Environment) -> Iterator[InvalidVariable]:
    """Yield each of these variables that has an invalid value."""
    yield from _of_list(environment, _PROPAGATORS)
    yield from _of_list(environment, _DETECTORS)
    yield from _of_one(environment, _ID_GENERATOR, str)
    yield from _of_one(environment, _SAMPLER, str.lower)
    sampler = environment.text(_SAMPLER)
    if sampler is not None and sampler.value.lower().endswith("traceidratio"):
        yield from _of_value(environment, _RATIO, _is_ratio, "a number from 0 to 1", "1.0")
    yield from _of_value(environment, _EXEMPLARS, _FILTERS.__contains__, " or ".join(_FILTERS))
    yield from _of_value(environment, _INTERVAL, _is_positive, "a number of milliseconds above 0")
    for name in _LIMITS:
        yield from _of_value(environment, name, str.isdigit, "a whole number")


def valid_environment() -> AbstractContextManager[None]:
    """Replace invalid values temporarily, around OpenTelemetry's imports and setup.

    An empty variable counts as unset, as the specification says.
    """
    environment = Environment()
    empty = {name: None for name in _READ if environment.text(name) is None}
    return replaced({**empty, **{it.variable: it.used for it in invalid_variables(environment)}})


@lru_cache(maxsize=1)
def warn_of_invalid_variables() -> None:
    """Log a line for each, once per process."""
    environment = Environment()
    if not environment.flag("OTEL_SDK_DISABLED"):
        for it in invalid_variables(environment):
            warn("%s", it.line)


def _of_list(environment: Environment, variable: str) -> Iterator[InvalidVariable]:
    names = environment.listed(variable)
    known = tuple(name for name in names if _is_known(variable, name))
    missing = [name for name in names if name not in known]
    if missing:
        used = ",".join(known) or _DEFAULTS[variable]
        yield _not_installed(variable, ",".join(names), missing, used)


def _of_one(
    environment: Environment, variable: str, spelt: Callable[[str], str]
) -> Iterator[InvalidVariable]:
    given = environment.text(variable)
    if given is not None and not _is_known(variable, spelt(given.value), given.value):
        yield _not_installed(variable, given.value, [given.value], _DEFAULTS[variable])


def _is_known(variable: str, *names: str) -> bool:
    if names[0].lower() == "none" and variable == _PROPAGATORS:
        return True
    if names[0] == "*" and variable == _DETECTORS:
        return True
    return any(registered(_GROUPS[variable], name) for name in names)


def _not_installed(variable: str, value: str, missing: list[str], used: str) -> InvalidVariable:
    packages = sorted({_PACKAGES.get((variable, name), "its package") for name in missing})
    # opentelemetry-instrument reads the propagators before it loads a distribution.
    by = " by initialize(), and opentelemetry-instrument does not start"
    line = (
        f"{variable}={value}: {', '.join(missing)} is not installed, or misspelt; "
        f"{used} is used{by if variable == _PROPAGATORS else ''}; install "
        f"{', '.join(packages)}, or correct the name"
    )
    return InvalidVariable(variable, line, used)


def _of_value(
    environment: Environment,
    variable: str,
    accepts: Callable[[str], bool],
    what: str,
    used: str | None = None,
) -> Iterator[InvalidVariable]:
    given = environment.text(variable)
    if given is not None and not accepts(given.value):
        line = f"{variable}={given.value} is not {what}; {used or 'the default'} is used"
        yield InvalidVariable(variable, line, used)


def _is_ratio(text: str) -> bool:
    return 0 <= _number(text) <= 1


def _is_positive(text: str) -> bool:
    return _number(text) > 0


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0
