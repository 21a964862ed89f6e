"""The standard variables that this distribution reads itself, each with its source."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from otel_agents.distro.addresses import Address, MalformedError, redacted
from otel_agents.distro.headers import fault_of_header
from otel_agents.distro.notices import warn

__all__ = [
    "DISABLED_INSTRUMENTATIONS",
    "FILES",
    "SIGNALS",
    "Batching",
    "Choice",
    "Environment",
    "Signal",
    "SignalName",
]

SignalName: TypeAlias = Literal["traces", "metrics", "logs"]

SIGNALS: Final[tuple[SignalName, ...]] = ("traces", "metrics", "logs")
DISABLED_INSTRUMENTATIONS: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
DEFAULT: Final = "default"
FILES: Final = ("CERTIFICATE", "CLIENT_KEY", "CLIENT_CERTIFICATE")
"""The TLS files that are read."""

_PROTOCOLS: Final = ("http/protobuf", "grpc")
_COMPRESSIONS: Final = ("gzip", "deflate", "none")
_PORTS: Final = MappingProxyType({"http/protobuf": 4318, "grpc": 4317})
_BATCH_PREFIX: Final = MappingProxyType({"traces": "OTEL_BSP", "logs": "OTEL_BLRP"})
_TERMINAL_EXPORTERS: Final = ("tree", "console")


@dataclass(frozen=True)
class Choice:
    """A value and its source: a variable's name, or ``default``."""

    value: str
    source: str = DEFAULT

    @property
    def given(self) -> bool:
        """Whether the user set it."""
        return not self.source.startswith(DEFAULT)


@dataclass(frozen=True)
class Signal:
    """How one signal is exported.

    ``exporters`` is a comma-separated list, ``none`` for none; ``endpoint`` the whole OTLP URL;
    ``timeout`` seconds for one request; ``headers`` the variable's text, with its secrets.
    """

    name: SignalName
    exporters: Choice
    protocol: Choice
    endpoint: Choice
    compression: Choice
    timeout: Choice
    headers: Choice | None = None
    insecure: bool = False
    """No TLS, if gRPC's endpoint has no scheme."""
    from_file: bool = False
    """Configured by a file, so that the environment does not apply."""

    @property
    def address(self) -> Address | None:
        """The address of ``endpoint``; None if it is invalid."""
        try:
            return Address.read(self.endpoint.value, self.protocol.value, insecure=self.insecure)
        except MalformedError:
            return None

    @property
    def exporter_names(self) -> tuple[str, ...]:
        """The names of the exporters, without ``none``."""
        names = (name.strip() for name in self.exporters.value.split(","))
        return tuple(name for name in names if name and name.lower() != "none")

    @property
    def seconds(self) -> float:
        """The timeout of one request, in seconds."""
        return float(self.timeout.value)


@dataclass(frozen=True)
class Batching:
    """How spans or log records are batched."""

    delay: float
    """Seconds between two exports."""
    max_items: int
    """Items in one request."""
    max_queued: int | None
    """Items that may wait; None if only their bytes are bounded."""


class Environment:
    """The standard variables of ``environ``, by default the process's.

    An invalid value is reported once: ``report`` gets the variable and a message.
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        report: Callable[[str, str], object] = lambda _, line: warn("%s", line),
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._report = report
        self._reported: set[str] = set()

    def text(self, *names: str) -> Choice | None:
        """Return the first of ``names`` that is set and not empty."""
        for name in names:
            value = self._environ.get(name, "").strip()
            if value:
                return Choice(value, name)
        return None

    def flag(self, name: str) -> bool:
        """Return whether the variable is ``true``."""
        return self._environ.get(name, "").strip().lower() == "true"

    def listed(self, name: str) -> tuple[str, ...]:
        """Return the parts of a comma-separated list."""
        return tuple(
            filter(None, (part.strip() for part in self._environ.get(name, "").split(",")))
        )

    def signal(self, name: SignalName, protocol: str | None = None) -> Signal:
        """Return how a signal is exported; ``protocol`` if the exporter's name implies it."""
        chosen = Choice(protocol, "the exporter's name") if protocol else self._protocol(name)
        insecure = self._otlp(name, "INSECURE")
        return Signal(
            name,
            self._exporters(name),
            chosen,
            self._endpoint(name, chosen.value),
            self._one_of(name, "COMPRESSION", _COMPRESSIONS),
            self._timeout(name),
            self._otlp(name, "HEADERS"),
            insecure is not None and insecure.value.lower() == "true",
        )

    def sendable(self, signal: Signal) -> bool:
        """Return whether ``signal`` can be sent by OTLP; report invalid variables."""
        if not self._check_headers(signal) or not self._check_endpoint(signal):
            return False
        if signal.address is not None and signal.address.secure and not signal.from_file:
            return self._check_files(signal)
        return True

    def files(self, name: SignalName) -> dict[str, Choice]:
        """Return the configured TLS files by kind (`FILES`)."""
        given = {what: self._otlp(name, what) for what in FILES}
        return {what: file for what, file in given.items() if file is not None}

    def batching(self, name: SignalName) -> Batching:
        """Return how a signal's items are batched."""
        prefix = _BATCH_PREFIX[name]
        return Batching(
            delay=self._number(f"{prefix}_SCHEDULE_DELAY", 5000) / 1000,
            max_items=self._number(f"{prefix}_MAX_EXPORT_BATCH_SIZE", 512) or 512,
            max_queued=self._number(f"{prefix}_MAX_QUEUE_SIZE", 0) or None,
        )

    def _exporters(self, name: SignalName) -> Choice:
        variable = f"OTEL_{name.upper()}_EXPORTER"
        given = self.text(variable)
        if given is not None:
            return given
        traces = self.text("OTEL_TRACES_EXPORTER")
        if name != "traces" and traces is not None and traces.value in _TERMINAL_EXPORTERS:
            # With traces in the terminal there is no Collector for the other signals.
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

    def _check_endpoint(self, signal: Signal) -> bool:
        source, whole = signal.endpoint.source, signal.endpoint.value
        of_environment = source.endswith("_ENDPOINT")
        given = self._environ.get(source, whole).strip() if of_environment else whole
        named = f"{source}={redacted(given)}" if of_environment else f"{redacted(given)} ({source})"
        try:
            Address.read(given, signal.protocol.value, insecure=signal.insecure)
        except MalformedError as error:
            self._report_once(
                source,
                f"{named} is not an endpoint ({error}): nothing is sent there; "
                f"write {error.suggestion}",
            )
            return False
        return True

    def _check_files(self, signal: Signal) -> bool:
        files = self.files(signal.name)
        for file in files.values():
            if not os.path.isfile(file.value):
                self._report_once(
                    file.source,
                    f"{file.source}={file.value} is not a file: TLS fails without it; "
                    "write the path of a PEM file",
                )
        return self._check_pair(files, signal.protocol.value)

    def _check_pair(self, files: Mapping[str, Choice], protocol: str) -> bool:
        """Return whether requests work with the given client key and certificate."""
        key, certificate = files.get("CLIENT_KEY"), files.get("CLIENT_CERTIFICATE")
        if protocol == "grpc":  # gRPC ends the process with one of the two
            alone = key or certificate if not (key and certificate) else None
            effect = "nothing is sent"
        else:  # a certificate's file may include the key
            alone = key if certificate is None else None
            effect = "it is not used"
        if alone is None:
            return True
        other = "CERTIFICATE" if alone is key else "KEY"
        missing = f"OTEL_EXPORTER_OTLP_CLIENT_{other}"
        self._report_once(
            alone.source,
            f"{alone.source} is set without {missing}: {effect}; set both, or neither",
        )
        return protocol != "grpc"

    def _check_headers(self, signal: Signal) -> bool:
        """Return whether the headers can be sent, except for invalid parts."""
        given = signal.headers
        parts = given.value.split(",") if given is not None else []
        faults = [why for part in parts if (why := fault_of_header(part, signal.protocol.value))]
        if given is None or not faults:
            return True
        # Never the value: headers hold secrets.
        worst = max(faults, key=lambda it: it.fatal)
        self._report_once(given.source, f"{given.source} has {worst.text}")
        return not worst.fatal

    def _one_of(self, name: SignalName, what: str, accepted: tuple[str, ...]) -> Choice:
        given = self._otlp(name, what)
        if given is None:
            return Choice(accepted[0])
        if given.value.lower() in accepted:
            return Choice(given.value.lower(), given.source)
        self._report_fallback(given, f"is not supported ({', '.join(accepted)})", accepted[0])
        return Choice(accepted[0])

    def _timeout(self, name: SignalName) -> Choice:
        given = self._otlp(name, "TIMEOUT")
        if given is None:
            return Choice("10")
        try:
            seconds = float(given.value)
        except ValueError:
            seconds = math.nan
        if 0 < seconds < math.inf:
            return given
        self._report_fallback(given, "is not a number of seconds above 0", "10")
        return Choice("10")

    def _otlp(self, name: SignalName, what: str) -> Choice | None:
        return self.text(f"OTEL_EXPORTER_OTLP_{name.upper()}_{what}", f"OTEL_EXPORTER_OTLP_{what}")

    def _number(self, name: str, default: int) -> int:
        given = self.text(name)
        if given is None:
            return default
        if given.value.isdigit():
            return int(given.value)
        self._report_fallback(given, "is not a whole number", str(default))
        return default

    def _report_fallback(self, given: Choice, what: str, used: str) -> None:
        self._report_once(given.source, f"{given.source}={given.value} {what}; {used} is used")

    def _report_once(self, variable: str, line: str) -> None:
        """Report ``line`` about ``variable``, once."""
        if variable not in self._reported:
            self._reported.add(variable)
            self._report(variable, line)
