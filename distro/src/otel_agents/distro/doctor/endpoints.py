"""Whether the endpoint of each signal answers: an empty OTLP request, as the program would send it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from otel_agents.distro.addresses import origin, shown
from otel_agents.distro.environment import Environment, Signal, SignalName
from otel_agents.distro.otlp.hints import hint_for
from otel_agents.distro.otlp.transport import OtlpTransport

__all__ = ["NOT_ASKED", "SignalAnswer", "ask", "unanswered"]

NOT_ASKED: Final = "not asked"
_MALFORMED: Final = "malformed"
_SECONDS: Final = 5.0
_OTLP: Final = MappingProxyType(
    {"otlp": None, "otlp_proto_http": "http/protobuf", "otlp_proto_grpc": "grpc"}
)


@dataclass(frozen=True)
class SignalAnswer:
    """How a signal leaves, and what its endpoint answered.

    ``answer`` is ``accepted``, ``malformed`` (no endpoint), the failure, or ``not asked`` where
    nothing is sent by OTLP; ``hint`` what to do then. A ``source`` is ``default``, a variable, or
    ``the receiver``, which takes no compression.
    """

    name: str
    exporters: str
    exporters_source: str
    endpoint: str = ""
    endpoint_source: str = ""
    protocol: str = ""
    compression: str = ""
    compression_source: str = ""
    answer: str = NOT_ASKED
    hint: str = ""
    ok: bool = True


def unanswered(signals: Iterable[SignalAnswer]) -> Iterator[str]:
    """A sentence for each server and way in which it does not take signals."""
    failed: dict[tuple[str, str, str], list[str]] = {}
    for signal in signals:
        if not signal.ok and signal.answer != _MALFORMED:  # the variable has a finding of its own
            where = origin(signal.endpoint)
            failed.setdefault((where, signal.answer, signal.hint), []).append(signal.name)
    for (where, answer, hint), names in failed.items():
        yield f"{where} does not take {' or '.join(names)} ({answer}); {hint}"


def ask(environment: Environment, name: SignalName) -> SignalAnswer:
    """Send an empty request where a signal goes."""
    signal = environment.signal(name)
    answer = SignalAnswer(name, signal.exporters.value, signal.exporters.source)
    by_otlp = [exporter for exporter in signal.exporter_names if exporter in _OTLP]
    if not by_otlp:
        return answer
    signal = environment.signal(name, _OTLP[by_otlp[-1]])
    answer = replace(
        answer,
        endpoint=shown(signal.endpoint.value),
        endpoint_source=signal.endpoint.source,
        protocol=signal.protocol.value,
        compression=signal.compression.value,
        compression_source=signal.compression.source,
    )
    if not environment.sendable(signal):
        return replace(answer, answer=_MALFORMED, ok=False)
    return _answered(answer, signal, environment)


def _answered(answer: SignalAnswer, signal: Signal, environment: Environment) -> SignalAnswer:
    transport = OtlpTransport(signal, environment)
    outcome = transport.send(_nothing(signal.name), _SECONDS)
    transport.close()
    if transport.compression != answer.compression:
        answer = replace(
            answer, compression=transport.compression, compression_source="the receiver"
        )
    if outcome.delivered:
        return replace(answer, answer="accepted")
    return replace(answer, answer=outcome.text, hint=hint_for(outcome), ok=False)


def _nothing(name: SignalName) -> Any:
    if name != "metrics":
        return []
    from opentelemetry.sdk.metrics.export import MetricsData

    return MetricsData(resource_metrics=[])
