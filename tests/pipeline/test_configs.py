"""Every file of collector-config/ is valid, starts, and takes all three signals on both OTLP ports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from backends.application import Application
from backends.certificate import Certificate, certify
from backends.collector import CONFIG, Collector, arguments, validate
from backends.jaeger import Jaeger
from backends.kubernetes import merged
from backends.program import wait_for
from opentelemetry._logs import LogRecord

NOT_RUN = {"content-to-object-storage"}
"""Files whose exporter cannot be built in the Collector that the tests run."""

OTHER = {"otelcol-builder", "docker-compose", "jaeger-v2", "common"}
"""Files that are not a Collector's main configuration."""

FILES = sorted(path.stem for path in CONFIG.glob("*.yaml"))
NAMES = [name for name in FILES if name not in OTHER]
RUN = [name for name in NAMES if name not in NOT_RUN]
SECTIONS = ("receivers", "processors", "exporters", "connectors", "extensions")
SIGNALS = ("traces", "metrics", "logs")
TOKEN = "let-me-in"


def load(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text("utf-8"))


def started(name: str) -> dict[str, Any]:
    """Return the merged files that a Collector is started with."""
    return merged(*(load(Path(argument.removeprefix("--config="))) for argument in arguments(name)))


def kinds(section: str, names: list[str]) -> set[str]:
    """Return the kinds of the components in a section of files."""
    found: set[str] = set()
    for name in ["common", *names]:
        defined: dict[str, Any] = load(CONFIG / f"{name}.yaml").get(section) or {}
        found |= {component.partition("/")[0] for component in defined}
    return found


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certify(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secured_variables(tls: Certificate) -> dict[str, str]:
    """Return the variables of secured.yaml."""
    return {
        "RECEIVER_TOKEN": TOKEN,
        "RECEIVER_CERTIFICATE": str(tls.certificate),
        "RECEIVER_KEY": str(tls.key),
    }


@pytest.mark.parametrize("name", RUN)
def test_a_file_is_valid_and_nothing_in_it_is_deprecated(
    name: str, secured_variables: dict[str, str]
) -> None:
    done = validate(name, environ=secured_variables)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_opens_with_what_it_is_for_and_its_command(name: str) -> None:
    text = (CONFIG / f"{name}.yaml").read_text("utf-8")
    assert re.match(r"# [A-Z].*\.", text.replace("\n# ", " "))
    files = [argument.rpartition("/")[2] for argument in arguments(name)]
    assert files[0] == "common.yaml"
    assert files[-1] == f"{name}.yaml"


def test_every_file_is_in_the_readme() -> None:
    text = (CONFIG / "README.md").read_text("utf-8")
    linked = set(re.findall(r"\]\(([^/)]+)\)", text))
    assert {path.name for path in CONFIG.iterdir() if path.is_file()} - {"README.md"} == linked


@pytest.mark.parametrize("name", NAMES)
def test_every_file_takes_all_three_signals_through_the_limits_and_the_redaction(name: str) -> None:
    pipelines: dict[str, Any] = started(name)["service"]["pipelines"]
    received = {key for key, pipeline in pipelines.items() if "otlp" in pipeline["receivers"]}
    assert received == {"traces/in", "metrics/in", "logs/in"}
    for signal in ("traces", "logs"):
        first = pipelines[f"{signal}/in"]["processors"][:3]
        assert first == ["memory_limiter", "transform/caps", "redaction"]
    for signal in SIGNALS:
        assert any(
            key.startswith(signal) and "forward/safe" in pipeline["receivers"]
            for key, pipeline in pipelines.items()
        ), signal


@pytest.mark.parametrize("section", SECTIONS)
def test_the_manifest_is_of_what_the_files_use(section: str) -> None:
    manifest = load(CONFIG / "otelcol-builder.yaml")
    built = {re.sub(r" v.*$", "", row["gomod"]).rpartition("/")[2] for row in manifest[section]}
    modules = {
        "file_storage": "filestorage",
        "health_check": "healthcheckextension",
        "otlp_grpc": "otlpexporter",
        "otlp_http": "otlphttpexporter",
    }
    suffix = section.removesuffix("s")
    used = {modules.get(kind, f"{kind.replace('_', '')}{suffix}") for kind in kinds(section, RUN)}
    assert used == built


@pytest.mark.parametrize("name", [*RUN, *NOT_RUN, "common", "jaeger-v2"])
def test_addresses_and_paths_are_variables_and_loopback(name: str) -> None:
    text = re.sub(
        r"^\s*#.*$|\s# .*$", "", (CONFIG / f"{name}.yaml").read_text("utf-8"), flags=re.MULTILINE
    )
    bare = re.sub(r"\$\{env:\w+(?::-[^}]*)?\}", "VARIABLE", text)
    assert re.findall(r"[\w.]+:\d{4,5}\b", bare) == []
    assert re.findall(r"(?<![\w.:/\"\\])/\w[\w./-]*", bare) == []
    for default in re.findall(r"_ENDPOINT:-([^}]*)\}", text):
        assert re.match(r"(http://)?127\.0\.0\.1:|https://xray\.|$", default), default


def emit(application: Application) -> None:
    """Emit one item of each signal."""
    application.tracer.start_span("invoke_agent").end()
    application.meter.create_counter("calls").add(1)
    application.logger.emit(LogRecord(body="hello"))
    application.flush()


def accepted(collector: Collector, protocol: str) -> dict[str, float]:
    """Return how many items of each signal a Collector accepted."""
    return {
        signal: collector.count(f"otelcol_receiver_accepted_{signal}", transport=protocol)
        for signal in ("spans", "metric_points", "log_records")
    }


@pytest.fixture(scope="module", params=RUN)
def collector(
    request: pytest.FixtureRequest, secured_variables: dict[str, str]
) -> Iterator[Collector]:
    """Start each file once, on loopback, without a backend."""
    with Collector(request.param, environ=secured_variables) as collector:
        yield collector


@pytest.fixture
def authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust only the given certificate: requests prefers that of these variables."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("authorities")
@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_a_file_takes_all_three_signals(
    request: pytest.FixtureRequest,
    collector: Collector,
    protocol: Literal["http", "grpc"],
    tls: Certificate,
) -> None:
    secured = "secured" in request.node.name
    endpoint = {"http": f"http://{collector.otlp_http}", "grpc": collector.otlp_grpc}[protocol]
    if secured:
        endpoint = endpoint.replace("http:", "https:")
    token, certificate = (TOKEN, tls.certificate) if secured else ("", None)
    with Application(endpoint, protocol, token=token, certificate=certificate) as application:
        emit(application)
        assert accepted(collector, protocol) == {"spans": 1, "metric_points": 1, "log_records": 1}


def test_a_file_causes_no_deprecation_warning(collector: Collector) -> None:
    assert [line for line in collector.log.splitlines() if "deprecat" in line.lower()] == []


@pytest.mark.usefixtures("authorities")
@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_a_secured_collector_takes_nothing_without_the_token(
    protocol: Literal["http", "grpc"], secured_variables: dict[str, str], tls: Certificate
) -> None:
    with Collector("secured", environ=secured_variables) as collector:
        endpoint = {"http": f"https://{collector.otlp_http}", "grpc": collector.otlp_grpc}[protocol]
        with Application(
            endpoint, protocol, token="guessed", certificate=tls.certificate
        ) as application:
            emit(application)
        assert accepted(collector, protocol) == {"spans": 0, "metric_points": 0, "log_records": 0}


def test_jaegers_own_file_starts_and_takes_spans() -> None:
    with Jaeger() as jaeger, Application(f"http://{jaeger.otlp_http}") as application:
        application.tracer.start_span("invoke_agent").end()
        application.flush()
        assert wait_for(jaeger.services, "the service is known") == ["travel-planner"]
