"""An invalid variable: one line at the start, and the program runs on."""

from __future__ import annotations

from pathlib import Path

import pytest
from installed import install
from instrumented import instrumented, script
from otlp_receiver import Receiver

from otel_agents.distro.addresses import Address, MalformedError, origin, redacted
from otel_agents.distro.environment import SIGNALS, Environment

HTTP, GRPC = "http/protobuf", "grpc"
BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
EMIT = """
    from opentelemetry import metrics, trace
    from opentelemetry._logs import LogRecord, get_logger

    with trace.get_tracer("t").start_as_current_span("work"):
        metrics.get_meter("m").create_counter("counted").add(1)
        get_logger("l").emit(LogRecord(body="said"))
"""
INITIALIZE = """
    from otel_agents.distro import initialize

    initialize()
    from opentelemetry import propagate, trace

    with trace.get_tracer("t").start_as_current_span("work"):
        print(*sorted(propagate.get_global_textmap().fields))
"""
NO_PORT = "is no port (1 to 65535)"
NO_PAIR = "a part that is not name=value, which is left out"
LATER = "nothing is sent there; write http://HOST:PORT"
WRONG = {
    "http://localhost:43l7": f"(43l7 {NO_PORT}): {LATER}",
    "http://localhost:99999": f"(99999 {NO_PORT}): {LATER}",
    "http://localhost:0": f"(0 {NO_PORT}): {LATER}",
    "http://collector..svc:4317": f"(part of its host collector..svc is empty): {LATER}",
    "http://$(NODE):4317": f"(no host can be named $(node)): {LATER}",
    "http://": f"(it names no host): {LATER}",
    "https://:4317": f"(it names no host): {LATER}",
    "http://[::1:4317": f"(its host is no IPv6 address): {LATER}",
    "ftp://host:4317": f"(ftp is no scheme of OTLP): {LATER}",
    "http://127.0.0.1:4317:1": f"(127.0.0.1:4317:1 has more than one port): {LATER}",
}
WITHOUT_SCHEME = {
    "localhost:4318": "(it has no scheme): nothing is sent there; "
    "write http://localhost:4318 or https://localhost:4318",
    "http:/host:1": "(it has no scheme): nothing is sent there; write http://host:1 or https://host:1",
}


@pytest.mark.parametrize(
    ("protocol", "endpoint", "why"),
    [
        *((protocol, *it) for protocol in (HTTP, GRPC) for it in WRONG.items()),
        *((HTTP, *it) for it in WITHOUT_SCHEME.items()),
        (GRPC, "http:host:4317", f"(http:host:4317 has more than one port): {LATER}"),
    ],
)
def test_an_invalid_endpoint(protocol: str, endpoint: str, why: str) -> None:
    reported: list[tuple[str, str]] = []

    def report(variable: str, line: str) -> None:
        reported.append((variable, line))

    variables = {BASE: endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    environment = Environment(variables, report)
    signals = [environment.signal(name) for name in SIGNALS]
    assert [environment.sendable(signal) for signal in signals] == [False] * 3
    assert [signal.address for signal in signals] == [None] * 3
    assert reported == [(BASE, f"{BASE}={endpoint} is not an endpoint {why}")]


@pytest.mark.parametrize("protocol", [HTTP, GRPC])
@pytest.mark.parametrize("endpoint", ["http://localhost:43l7", "http://collector..svc:4317"])
def test_nothing_is_sent_there_or_waited_for(protocol: str, endpoint: str, tmp_path: Path) -> None:
    done = instrumented(
        script(tmp_path, EMIT), {BASE: endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    )
    assert (done.status, done.out) == (0, "")
    assert done.err.splitlines() == [
        f"otel-agents: {BASE}={endpoint} is not an endpoint {WRONG[endpoint]}"
    ]


def test_the_other_signals_are_sent(tmp_path: Path) -> None:
    own = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, EMIT), {BASE: receiver.endpoint, own: "http://u:pw@h:43l7"}
        )
    assert done.err.splitlines() == [
        f"otel-agents: {own}=http://h:43l7 is not an endpoint (43l7 {NO_PORT}): {LATER}"
    ]
    assert receiver.paths == {"/v1/metrics", "/v1/logs"}


@pytest.mark.parametrize(
    ("protocol", "endpoint", "address"),
    [
        (HTTP, "http://h", Address(False, "h", 80)),
        (HTTP, "HTTPS://u:p@H.example./x?y", Address(True, "h.example.", 443)),
        (HTTP, "http://[::1]:4318/v1", Address(False, "::1", 4318)),
        (HTTP, "http://my_collector:4318", Address(False, "my_collector", 4318)),
        (HTTP, "http://bücher.example", Address(False, "bücher.example", 80)),
        (GRPC, "http://h", Address(False, "h", 443)),
        (GRPC, "h:4317", Address(True, "h", 4317)),
        (GRPC, "[::1]:4317", Address(True, "::1", 4317)),
        (GRPC, "unix:///run/otlp.sock", Address(True)),
        (GRPC, "dns:///h:4317", Address(True)),
    ],
)
def test_a_valid_endpoint(protocol: str, endpoint: str, address: Address) -> None:
    assert Address.read(endpoint, protocol) == address


def test_a_label_has_63_characters_at_most() -> None:
    assert Address.read(f"http://{'a' * 63}", HTTP)
    with pytest.raises(MalformedError):
        Address.read(f"http://{'a' * 64}", HTTP)


def test_no_password_is_shown() -> None:
    assert redacted("https://me:s@cret@host/x@y") == "https://host/x@y"
    assert redacted("http://host?api-key=secret") == "http://host?…"
    assert redacted("http://host/v1#secret") == "http://host/v1?…"
    assert origin("http://host:1?api-key=secret") == "http://host:1"
    with pytest.raises(MalformedError) as raised:
        Address.read("me:secret@host:4318?secret", HTTP)
    assert raised.value.suggestion == "http://host:4318?… or https://host:4318?…"
    assert redacted("https://me:secret@host/x") == "https://host/x"
    assert origin("https://me:secret@host:1/x") == "https://host:1"
    assert origin("me:secret@host:1") == "host:1"


INSTALL = "or correct the name"
INVALID = {
    "OTEL_PYTHON_ID_GENERATOR=xray": (
        f": xray is not installed, or misspelt; random is used; "
        f"install opentelemetry-sdk-extension-aws, {INSTALL}"
    ),
    "OTEL_TRACES_SAMPLER=mine": (
        f": mine is not installed, or misspelt; parentbased_always_on is used; "
        f"install its package, {INSTALL}"
    ),
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS=otel,mine": (
        f": mine is not installed, or misspelt; otel is used; install its package, {INSTALL}"
    ),
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=many": " is not a whole number; the default is used",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT=-1": " is not a whole number; the default is used",
    "OTEL_METRICS_EXEMPLAR_FILTER=some": (
        " is not always_on or always_off or trace_based; the default is used"
    ),
    "OTEL_METRIC_EXPORT_INTERVAL=-5": (
        " is not a number of milliseconds above 0; the default is used"
    ),
    "OTEL_METRIC_EXPORT_INTERVAL=soon": (
        " is not a number of milliseconds above 0; the default is used"
    ),
    "OTEL_EXPORTER_OTLP_TIMEOUT=soon": " is not a number of seconds above 0; 10 is used",
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=0": " is not a number of seconds above 0; 10 is used",
}


@pytest.mark.parametrize("setting", INVALID)
def test_a_value_that_the_sdk_raises_for(setting: str, tmp_path: Path) -> None:
    variable, _, value = setting.partition("=")
    with Receiver() as receiver:
        done = instrumented(script(tmp_path, EMIT), {BASE: receiver.endpoint, variable: value})
    assert (done.status, done.out) == (0, "")
    assert done.err.splitlines() == [f"otel-agents: {setting}{INVALID[setting]}"]
    assert receiver.paths == {"/v1/traces", "/v1/metrics", "/v1/logs"}


@pytest.mark.parametrize("ratio", ["2", "half"])
def test_an_invalid_ratio(ratio: str, tmp_path: Path) -> None:
    variables = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": ratio}
    with Receiver() as receiver:
        done = instrumented(script(tmp_path, EMIT), {BASE: receiver.endpoint, **variables})
    assert done.err.splitlines() == [
        f"otel-agents: OTEL_TRACES_SAMPLER_ARG={ratio} is not a number from 0 to 1; 1.0 is used"
    ]
    assert receiver.span_names == ["work"]


@pytest.mark.parametrize(
    ("sampler", "ratio", "spans"),
    [("ALWAYS_ON", "", ["work"]), ("traceidratio", "0", []), ("always_off", "any", [])],
)
def test_valid_values_are_used(sampler: str, ratio: str, spans: list[str], tmp_path: Path) -> None:
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, EMIT),
            {
                BASE: receiver.endpoint,
                "OTEL_TRACES_SAMPLER": sampler,
                "OTEL_TRACES_SAMPLER_ARG": ratio,
                "OTEL_PYTHON_ID_GENERATOR": "random",
                "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "7",
            },
        )
    assert "otel-agents" not in done.err
    assert receiver.span_names == spans


def test_an_empty_variable_is_an_unset_one(tmp_path: Path) -> None:
    names = (
        "OTEL_PYTHON_ID_GENERATOR",
        "OTEL_TRACES_SAMPLER",
        "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS",
        "OTEL_METRICS_EXEMPLAR_FILTER",
        "OTEL_METRIC_EXPORT_INTERVAL",
        "OTEL_PROPAGATORS",
    )
    program = script(tmp_path, INITIALIZE)
    with Receiver() as receiver:
        variables = {BASE: receiver.endpoint, **dict.fromkeys(names, "")}
        done = instrumented(program, variables, instrument=False)
    assert (done.status, done.err, receiver.span_names) == (0, "", ["work"])


@pytest.mark.parametrize(
    ("propagators", "used", "fields"),
    [
        ("b3", "tracecontext,baggage", "baggage traceparent tracestate"),
        ("b3,baggage", "baggage", "baggage"),
        ("b3,none", "none", ""),
    ],
)
def test_a_propagator_that_is_not_installed(
    propagators: str, used: str, fields: str, tmp_path: Path
) -> None:
    """In code: `opentelemetry-instrument` reads the variable before it loads a distribution."""
    program = script(tmp_path, INITIALIZE)
    with Receiver() as receiver:
        variables = {BASE: receiver.endpoint, "OTEL_PROPAGATORS": propagators}
        done = instrumented(program, variables, instrument=False)
    assert (done.status, done.out.strip(), receiver.span_names) == (0, fields, ["work"])
    assert done.err.splitlines() == [
        (
            f"otel-agents: OTEL_PROPAGATORS={propagators}: b3 is not installed, or misspelt; "
            f"{used} is used by initialize(), and opentelemetry-instrument does not start; "
            f"install opentelemetry-propagator-b3, {INSTALL}"
        )
    ]


def test_the_environment_is_as_before(tmp_path: Path) -> None:
    """Replacements are only for the SDK: subprocesses inherit the user's values."""
    program = script(tmp_path, "import os; print(os.environ['OTEL_PYTHON_ID_GENERATOR'])")
    variables = {"OTEL_PYTHON_ID_GENERATOR": "xray", "OTEL_TRACES_EXPORTER": "tree"}
    assert instrumented(program, variables).out == "xray\n"


def test_any_other_error_of_the_set_up_is_one_line(tmp_path: Path) -> None:
    module = (
        "from opentelemetry.sdk.metrics.export import MetricReader\n"
        "class Broken(MetricReader):\n"
        "    def __init__(self):\n"
        "        raise OSError('port\\n 8000 is in use')\n"
        "    def _receive_metrics(self, *args, **kwargs): ...\n"
        "    def shutdown(self, *args, **kwargs): ...\n"
    )
    install(tmp_path, "a-broken", modules={"a_broken": module})
    info = next(tmp_path.glob("a_broken*.dist-info"))
    points = "[opentelemetry_metrics_exporter]\nbroken = a_broken:Broken\n"
    (info / "entry_points.txt").write_text(points, "utf-8")
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, EMIT),
            {
                BASE: receiver.endpoint,
                "OTEL_METRICS_EXPORTER": "broken",
                "PYTHONPATH": str(tmp_path),
            },
        )
    assert (done.status, done.out) == (0, "")
    assert done.err.splitlines() == [
        (
            "otel-agents: OpenTelemetry's setup failed (OSError: port 8000 is in use); what "
            "was not set up records nothing; correct that setting"
        )
    ]
    assert receiver.span_names == ["work"]


@pytest.mark.parametrize("what", ["CERTIFICATE", "CLIENT_KEY", "CLIENT_CERTIFICATE"])
def test_a_missing_file(what: str, tmp_path: Path) -> None:
    variable = f"OTEL_EXPORTER_OTLP_{what}"
    done = instrumented(
        script(tmp_path, EMIT), {BASE: "https://127.0.0.1:9", variable: "/no/such.pem"}
    )
    assert done.status == 0
    assert done.err.splitlines()[0] == (
        f"otel-agents: {variable}=/no/such.pem is not a file: TLS fails without it; "
        "write the path of a PEM file"
    )
    assert "Traceback" not in done.err


@pytest.mark.parametrize("protocol", [HTTP, GRPC])
def test_invalid_headers_are_reported_without_their_value(protocol: str, tmp_path: Path) -> None:
    variables = {
        BASE: "http://127.0.0.1:9",
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_EXPORTER_OTLP_HEADERS": "x-a=1,s3cret",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
    done = instrumented(script(tmp_path, EMIT), variables)
    first, *others = done.err.splitlines()
    assert first == (
        "otel-agents: OTEL_EXPORTER_OTLP_HEADERS has a part that is not name=value, which is left "
        "out; write it as name=value,name=value"
    )
    assert [line for line in others if "could not deliver" not in line] == []


@pytest.mark.parametrize(
    ("protocol", "given", "fault"),
    [
        (HTTP, "x-a=1,=s3cret", NO_PAIR),
        (GRPC, "s3cret name=1", "a name that is invalid for a header, which is left out"),
        (HTTP, "x-a=s3cr;et", "a value that is not percent-encoded, which is left out"),
        (GRPC, "x-a=s3cret%E2%82%AC", "a value that cannot be sent once it is decoded, so nothing"),
        (HTTP, "x-a=s3cret%E2%82%AC", "a value that cannot be sent once it is decoded, so nothing"),
        (HTTP, "x-a=s3cret%0Ax", "a value that cannot be sent once it is decoded, so nothing"),
        (GRPC, "x-a=s3cret%C3%A9", "a value that cannot be sent once it is decoded, so nothing"),
        (GRPC, "x!a=s3cret", "a name that cannot be sent, so nothing"),
        (HTTP, "x%20a=s3cret", "a name that cannot be sent, so nothing"),
        (HTTP, "x-a=s3cret%C3%A9", ""),
        (HTTP, "x!a=s3cret=,, X-B = a%2Cb ", ""),
        (GRPC, "x-a=Bearer s3cret", ""),
    ],
)
def test_headers_that_cannot_be_sent(protocol: str, given: str, fault: str) -> None:
    reported: dict[str, str] = {}
    name = "OTEL_EXPORTER_OTLP_HEADERS"
    variables = {name: given, BASE: "http://h", "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    environment = Environment(variables, reported.__setitem__)
    sendable = environment.sendable(environment.signal("traces"))
    assert sendable == ("so nothing" not in fault)
    assert list(reported) == ([name] if fault else [])
    assert reported.get(name, "").startswith(f"{name} has {fault}" if fault else "")
    assert "s3cr" not in reported.get(name, "")


@pytest.mark.parametrize(
    ("protocol", "alone", "other", "effect"),
    [
        (GRPC, "KEY", "CERTIFICATE", "nothing is sent"),
        (GRPC, "CERTIFICATE", "KEY", "nothing is sent"),
        (HTTP, "KEY", "CERTIFICATE", "it is not used"),
    ],
)
def test_half_of_a_pair_of_files(
    protocol: str, alone: str, other: str, effect: str, tmp_path: Path
) -> None:
    """With one of the two gRPC ends the process."""
    file = script(tmp_path, "")
    variable = f"OTEL_EXPORTER_OTLP_CLIENT_{alone}"
    variables = {
        BASE: "https://127.0.0.1:9",
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        variable: str(file),
    }
    done = instrumented(script(tmp_path, EMIT), variables)
    first, *others = done.err.splitlines()
    assert done.status == 0
    assert first == (
        f"otel-agents: {variable} is set without OTEL_EXPORTER_OTLP_CLIENT_{other}: {effect}; "
        "set both, or neither"
    )
    assert bool(others) == (protocol == HTTP)
