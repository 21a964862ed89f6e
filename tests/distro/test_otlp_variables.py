"""Every standard variable of OTLP, for each protocol and signal, against receivers that check it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from otlp_transports import GRPC, HTTP, RECEIVERS, clear_variables, send_empty, transport_for
from strict_receivers import StrictGrpc, StrictHttp, Tls, certified

from otel_agents.distro.environment import SIGNALS, Environment, SignalName
from otel_agents.distro.otlp import exporters
from otel_agents.distro.otlp.outcome import DELIVERED, Outcome
from otel_agents.distro.otlp.transport import OtlpTransport
from otel_agents.distro.variables import hidden

FORMS = ("", "own")
"""The general variable, or the signal's own."""


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return certified(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=[(protocol, name) for protocol in RECEIVERS for name in SIGNALS], ids=str)
def way(request: pytest.FixtureRequest) -> tuple[str, SignalName]:
    """A protocol and a signal."""
    return request.param


@pytest.fixture(params=FORMS, ids=lambda form: form or "all")
def variable(request: pytest.FixtureRequest, way: tuple[str, SignalName]) -> Callable[[str], str]:
    """Return the name of a variable in one of its two forms."""
    part = f"{way[1].upper()}_" if request.param else ""
    return lambda what: f"OTEL_EXPORTER_OTLP_{part}{what}"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_variables(monkeypatch)


def send(
    monkeypatch: pytest.MonkeyPatch, way: tuple[str, SignalName], variables: Mapping[str, str]
) -> Outcome:
    """Send an empty request with these variables, and return its outcome."""
    for name, value in {"OTEL_EXPORTER_OTLP_PROTOCOL": way[0], **variables}.items():
        monkeypatch.setenv(name, value)
    transport = transport_for(way[1])
    try:
        return send_empty(transport)
    finally:
        transport.close()


def test_the_endpoint_of_all_signals_gets_the_path_of_each(
    way: tuple[str, SignalName], monkeypatch: pytest.MonkeyPatch
) -> None:
    with RECEIVERS[way[0]]() as receiver:
        for endpoint in (receiver.endpoint, f"{receiver.endpoint}/", f"  {receiver.endpoint} "):
            base = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
            assert send(monkeypatch, way, base) == DELIVERED
    paths = {HTTP: f"/v1/{way[1]}", GRPC: way[1]}
    assert [it.path for it in receiver.arrived] == [paths[way[0]]] * 3


def test_a_signals_own_endpoint_is_used_as_it_is(
    way: tuple[str, SignalName], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = f"OTEL_EXPORTER_OTLP_{way[1].upper()}_ENDPOINT"
    options: Any = {"paths": {way[1]: "/mine"}} if way[0] == HTTP else {}
    with RECEIVERS[way[0]](**options) as receiver:
        variables = {
            own: f"{receiver.endpoint}/mine",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        }
        assert send(monkeypatch, way, variables) == DELIVERED
    assert len(receiver.arrived) == 1


def test_an_empty_variable_of_a_signal_is_none(
    way: tuple[str, SignalName], monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = ("ENDPOINT", "HEADERS", "TIMEOUT", "COMPRESSION", "INSECURE", "PROTOCOL", "CERTIFICATE")
    own = {f"OTEL_EXPORTER_OTLP_{way[1].upper()}_{what}": "" for what in empty}
    with RECEIVERS[way[0]](("deflate",)) as receiver:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-key=value",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "deflate",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2.5",
        }
        assert send(monkeypatch, way, {**own, **variables}) == DELIVERED
    assert receiver.arrived[0].headers["x-key"] == "value"


@pytest.mark.parametrize("seconds", ["", "soon", "0.5"])
@pytest.mark.parametrize("general", ["", "7"])
def test_no_exporter_reads_a_time_out_itself(
    way: tuple[str, SignalName], seconds: str, general: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exporter that reads it raises for an invalid number."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", way[0])
    monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{way[1].upper()}_TIMEOUT", seconds)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", general)
    with RECEIVERS[way[0]]() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
        reported: dict[str, str] = {}
        environment = Environment(report=reported.__setitem__)
        transport = OtlpTransport(environment.signal(way[1]), environment)
        assert send_empty(transport) == DELIVERED
        transport.close()


def test_variables_of_other_signals_stay_set_while_an_exporter_is_created(
    way: tuple[str, SignalName], tls: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each exporter is created in its own thread."""
    general = {
        "OTEL_EXPORTER_OTLP_TIMEOUT": "7",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": str(tls.certificate),
        "OTEL_EXPORTER_OTLP_CLIENT_KEY": str(tls.key),
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": str(tls.certificate),
    }
    names: list[str] = []

    def hide(*hiding: str) -> AbstractContextManager[None]:
        names.extend(hiding)
        return hidden(*hiding)

    monkeypatch.setattr(exporters, "hidden", hide)
    with RECEIVERS[way[0]](tls=tls) as receiver:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, **general}
        assert send(monkeypatch, way, variables) == DELIVERED
    assert names
    assert not general.keys() & {*names}


def test_an_empty_certificate_is_no_leave_to_trust_anybody(
    way: tuple[str, SignalName],
    variable: Callable[[str], str],
    tls: Tls,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with RECEIVERS[way[0]](tls=tls) as receiver:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            variable("CERTIFICATE"): "",
        }
        outcome = send(monkeypatch, way, variables)
    assert outcome.reason == "TLS: certificate verify failed"


def test_a_name_in_the_endpoint_is_no_part_of_the_host(
    way: tuple[str, SignalName], monkeypatch: pytest.MonkeyPatch
) -> None:
    with RECEIVERS[way[0]]() as receiver:
        endpoint = receiver.endpoint.replace("//", "//tenant:s3cret@")
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        assert send(monkeypatch, way, variables) == DELIVERED


def test_headers_are_decoded(
    way: tuple[str, SignalName], variable: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with RECEIVERS[way[0]]() as receiver:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            variable("HEADERS"): "authorization=Basic%20Zg%3D%3D, X-Scope=a=b",
        }
        assert send(monkeypatch, way, variables) == DELIVERED
    headers = receiver.arrived[0].headers
    assert (headers["authorization"], headers["x-scope"]) == ("Basic Zg==", "a=b")


@pytest.mark.parametrize("seconds", ["0.3", "1"])
def test_a_request_ends_after_its_time_out_in_seconds(
    way: tuple[str, SignalName],
    variable: Callable[[str], str],
    seconds: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with RECEIVERS[way[0]](hang=True) as receiver:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            variable("TIMEOUT"): seconds,
        }
        began = time.monotonic()
        outcome = send(monkeypatch, way, variables)
    assert outcome == Outcome(False, True, "timed out")
    assert float(seconds) <= time.monotonic() - began < 9  # the default is 10


@pytest.mark.parametrize("compression", ["gzip", "deflate", "none", "GZIP", " None "])
def test_compression_is_what_the_user_chose(
    way: tuple[str, SignalName],
    variable: Callable[[str], str],
    compression: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The receiver accepts only this compression, or none."""
    chosen = compression.strip().lower()
    others = {"gzip", "deflate"} - {chosen}
    for taken, delivered in (({chosen} - {"none"}, True), (others, chosen == "none")):
        with RECEIVERS[way[0]]((*taken,)) as receiver:
            variables = {
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                variable("COMPRESSION"): compression,
            }
            outcome = send(monkeypatch, way, variables)
        assert outcome.delivered == delivered
        assert outcome.hint == ("" if delivered else f"set {variable('COMPRESSION')}=none")


def test_a_certificate_is_trusted(
    way: tuple[str, SignalName],
    variable: Callable[[str], str],
    tls: Tls,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with RECEIVERS[way[0]](tls=tls) as receiver:
        endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        assert send(monkeypatch, way, endpoint).reason == "TLS: certificate verify failed"
        empty = {f"OTEL_EXPORTER_OTLP_{way[1].upper()}_CERTIFICATE": ""}
        trusting = {**endpoint, **empty, variable("CERTIFICATE"): f" {tls.certificate} "}
        assert send(monkeypatch, way, trusting) == DELIVERED


def test_a_certificate_wins_over_that_of_other_clients(
    tls: Tls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = certified(tmp_path)
    with StrictHttp(tls=tls) as receiver:
        variables = {
            "REQUESTS_CA_BUNDLE": str(other.certificate),
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_EXPORTER_OTLP_CERTIFICATE": str(tls.certificate),
        }
        assert send(monkeypatch, (HTTP, "traces"), variables) == DELIVERED


def test_a_receiver_that_wants_a_certificate_gets_it(
    way: tuple[str, SignalName],
    variable: Callable[[str], str],
    tls: Tls,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with RECEIVERS[way[0]](tls=tls, mutual=True) as receiver:
        trusting = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            variable("CERTIFICATE"): str(tls.certificate),
        }
        assert not send(monkeypatch, way, trusting).delivered
        known = {
            **trusting,
            variable("CLIENT_KEY"): str(tls.key),
            variable("CLIENT_CERTIFICATE"): str(tls.certificate),
        }
        assert send(monkeypatch, way, known) == DELIVERED


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("own", [False, True], ids=["all", "own"])
def test_grpc_without_a_scheme_reads_insecure(
    signal: SignalName, own: bool, tls: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without TLS if INSECURE is true, else with TLS."""
    part = f"{signal.upper()}_" if own else ""
    insecure, endpoint = (f"OTEL_EXPORTER_OTLP_{part}{what}" for what in ("INSECURE", "ENDPOINT"))
    certificate = {"OTEL_EXPORTER_OTLP_CERTIFICATE": str(tls.certificate)}
    with StrictGrpc() as clear, StrictGrpc(tls=tls) as secure:
        outcomes = [
            send(monkeypatch, (GRPC, signal), {**certificate, **variables})
            for variables in (
                {endpoint: clear.address, insecure: "true"},
                {endpoint: secure.address, insecure: "false"},
                {endpoint: clear.address},
            )
        ]
    assert [it.delivered for it in outcomes] == [True, True, False]
    assert outcomes[-1].reason == "TLS: wrong version number"


@pytest.mark.parametrize("signal", SIGNALS)
def test_grpcs_scheme_wins_over_insecure(
    signal: SignalName, tls: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StrictGrpc() as clear, StrictGrpc(tls=tls) as secure:
        for receiver, insecure in ((clear, "false"), (secure, "true"), (clear, "")):
            variables = {
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_EXPORTER_OTLP_INSECURE": insecure,
                "OTEL_EXPORTER_OTLP_CERTIFICATE": str(tls.certificate),
            }
            assert send(monkeypatch, (GRPC, signal), variables) == DELIVERED


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("protocol", RECEIVERS)
def test_a_signals_own_protocol_wins(
    signal: SignalName, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = next(it for it in RECEIVERS if it != protocol)
    with RECEIVERS[protocol]() as receiver:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL": protocol,
        }
        assert send(monkeypatch, (other, signal), variables) == DELIVERED
