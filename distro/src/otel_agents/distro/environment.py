"""The standard variables that this distribution reads itself, each with where its value is from."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from otel_agents.distro.speech import say

__all__ = [
    "DISABLED_INSTRUMENTATIONS",
    "SIGNALS",
    "Batching",
    "Choice",
    "Environment",
    "Signal",
    "SignalName",
    "hidden",
    "offer",
]

SignalName: TypeAlias = Literal["traces", "metrics", "logs"]

SIGNALS: Final[tuple[SignalName, ...]] = ("traces", "metrics", "logs")
DISABLED_INSTRUMENTATIONS: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
DEFAULT: Final = "default"

_PROTOCOLS: Final = ("http/protobuf", "grpc")
_COMPRESSIONS: Final = ("gzip", "deflate", "none")
_PORTS: Final = MappingProxyType({"http/protobuf": 4318, "grpc": 4317})
_BATCH_PREFIX: Final = MappingProxyType({"traces": "OTEL_BSP", "logs": "OTEL_BLRP"})
_FOR_THE_EYE: Final = ("tree", "console")


@dataclass(frozen=True)
class Choice:
    """A value and where it is from: a variable's name, or ``default``."""

    value: str
    source: str = DEFAULT

    @property
    def given(self) -> bool:
        """Whether the user chose it."""
        return not self.source.startswith(DEFAULT)


@dataclass(frozen=True)
class Signal:
    """How one signal leaves the process.

    ``exporters`` is a list by comma, ``none`` for none; ``endpoint`` the whole URL of OTLP;
    ``timeout`` seconds for one request.
    """

    name: SignalName
    exporters: Choice
    protocol: Choice
    endpoint: Choice
    compression: Choice
    timeout: Choice

    @property
    def exporter_names(self) -> tuple[str, ...]:
        """The exporters, without ``none``."""
        names = (name.strip() for name in self.exporters.value.split(","))
        return tuple(name for name in names if name and name.lower() != "none")

    @property
    def seconds(self) -> float:
        """The time-out of one request."""
        return float(self.timeout.value)


@dataclass(frozen=True)
class Batching:
    """How spans or log records are gathered before they are sent."""

    delay: float
    """Seconds between two exports."""
    max_items: int
    """Items in one request."""
    max_waiting: int | None
    """Items that may wait; None where only their bytes are bounded."""


class Environment:
    """The standard variables of ``environ``, by default of the process."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._told: set[str] = set()

    def text(self, *names: str) -> Choice | None:
        """The first of ``names`` that is set and not empty."""
        for name in names:
            value = self._environ.get(name, "").strip()
            if value:
                return Choice(value, name)
        return None

    def flag(self, name: str) -> bool:
        """Whether the variable is ``true``."""
        return self._environ.get(name, "").strip().lower() == "true"

    def listed(self, name: str) -> tuple[str, ...]:
        """The parts of a list by comma."""
        return tuple(
            filter(None, (part.strip() for part in self._environ.get(name, "").split(",")))
        )

    def signal(self, name: SignalName, protocol: str | None = None) -> Signal:
        """How a signal leaves; ``protocol`` where the exporter's name tells it."""
        chosen = Choice(protocol, "the exporter's name") if protocol else self._protocol(name)
        return Signal(
            name,
            self._exporters(name),
            chosen,
            self._endpoint(name, chosen.value),
            self._one_of(name, "COMPRESSION", _COMPRESSIONS),
            self._timeout(name),
        )

    def batching(self, name: SignalName) -> Batching:
        """How a signal's items are batched."""
        prefix = _BATCH_PREFIX[name]
        return Batching(
            delay=self._number(f"{prefix}_SCHEDULE_DELAY", 5000) / 1000,
            max_items=self._number(f"{prefix}_MAX_EXPORT_BATCH_SIZE", 512) or 512,
            max_waiting=self._number(f"{prefix}_MAX_QUEUE_SIZE", 0) or None,
        )

    def _exporters(self, name: SignalName) -> Choice:
        variable = f"OTEL_{name.upper()}_EXPORTER"
        given = self.text(variable)
        if given is not None:
            return given
        traces = self.text("OTEL_TRACES_EXPORTER")
        if name != "traces" and traces is not None and traces.value in _FOR_THE_EYE:
            # Who looks at traces in the terminal has no Collector to send the rest to.
            return Choice("none", f"{DEFAULT} with {traces.source}={traces.value}")
        return Choice("otlp")

    def _protocol(self, name: SignalName) -> Choice:
        return self._one_of(name, "PROTOCOL", _PROTOCOLS)

    def _endpoint(self, name: SignalName, protocol: str) -> Choice:
        own = self.text(f"OTEL_EXPORTER_OTLP_{name.upper()}_ENDPOINT")
        if own is not None:
            return own
        port = _PORTS[protocol]
        base = self.text("OTEL_EXPORTER_OTLP_ENDPOINT") or Choice(f"http://localhost:{port}")
        if protocol == "grpc":
            return base
        return Choice(f"{base.value.rstrip('/')}/v1/{name}", base.source)

    def _one_of(self, name: SignalName, what: str, accepted: tuple[str, ...]) -> Choice:
        given = self._otlp(name, what)
        if given is None:
            return Choice(accepted[0])
        if given.value.lower() in accepted:
            return Choice(given.value.lower(), given.source)
        self._complain(given, f"is not supported ({', '.join(accepted)})", accepted[0])
        return Choice(accepted[0])

    def _timeout(self, name: SignalName) -> Choice:
        given = self._otlp(name, "TIMEOUT")
        if given is None:
            return Choice("10")
        try:
            float(given.value)
        except ValueError:
            self._complain(given, "is not a number of seconds", "10")
            return Choice("10")
        return given

    def _otlp(self, name: SignalName, what: str) -> Choice | None:
        return self.text(f"OTEL_EXPORTER_OTLP_{name.upper()}_{what}", f"OTEL_EXPORTER_OTLP_{what}")

    def _number(self, name: str, default: int) -> int:
        given = self.text(name)
        if given is None:
            return default
        if given.value.isdigit():
            return int(given.value)
        self._complain(given, "is not a whole number", str(default))
        return default

    def _complain(self, given: Choice, what: str, used: str) -> None:
        if given.source not in self._told:
            self._told.add(given.source)
            say("%s=%s %s; %s is used", given.source, given.value, what, used)


@contextmanager
def hidden(*names: str) -> Generator[None, None, None]:
    """The variables are unset meanwhile: for the SDK, which reads them beside its arguments."""
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def offer(variables: Mapping[str, str]) -> None:
    """Set what the user has not set; subprocesses inherit it."""
    for name, value in variables.items():
        os.environ.setdefault(name, value)
