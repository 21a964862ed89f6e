"""The files for Docker and Kubernetes, which do not run here, match those that do."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from backends.collector import AWS
from backends.kubernetes import CONFIG, TARGET, written
from backends.obtain import COLLECTOR, VERSIONS
from instrumented import plain_environ

COMPOSE: dict[str, Any] = yaml.safe_load((CONFIG / "docker-compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
VARIABLE = re.compile(r"\$\{env:(\w+)(?::-([^}]*))?\}")
OF_THE_RUNTIME = {"GOMEMLIMIT"}


def mounted(service: dict[str, Any]) -> dict[str, Path]:
    """Return the files of a service by path in its container."""
    pairs = [mount.split(":") for mount in service.get("volumes", [])]
    return {pair[1]: CONFIG / pair[0] for pair in pairs if pair[0].startswith("./")}


def configured(service: dict[str, Any]) -> list[Path]:
    """Return the configuration files of a service."""
    paths = [argument.removeprefix("--config=") for argument in service.get("command", [])]
    return [mounted(service)[path] for path in paths]


def variables(paths: list[Path]) -> dict[str, str]:
    """Return the variables of files, with their defaults."""
    return dict(pair for path in paths for pair in VARIABLE.findall(path.read_text("utf-8")))


def test_the_images_are_those_of_the_versions() -> None:
    images = dict(service["image"].split(":") for service in SERVICES.values())
    assert images == VERSIONS["images"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_mounts_what_it_is_started_with(name: str) -> None:
    files = configured(SERVICES[name])
    assert sorted(files) == sorted(mounted(SERVICES[name]).values())
    assert all(path.is_file() for path in files)


@pytest.mark.parametrize("name", ["collector", "jaeger"])
def test_a_service_sets_variables_that_its_files_have(name: str) -> None:
    known = variables(configured(SERVICES[name]))
    assert set(SERVICES[name]["environment"]) - OF_THE_RUNTIME <= set(known)


@pytest.mark.parametrize("name", ["collector", "jaeger"])
def test_a_published_port_is_one_that_the_service_listens_at(name: str) -> None:
    service = SERVICES[name]
    known = {**variables(configured(service)), **service["environment"]}
    listens = {value.rpartition(":")[2] for key, value in known.items() if "ENDPOINT" in key}
    listens |= {known[key] for key in known if key == "TELEMETRY_PORT"}
    published = [port.rsplit(":", 2) for port in service["ports"]]
    assert all(host == "127.0.0.1" and outer == inner for host, outer, inner in published)
    assert {inner for _, _, inner in published} <= listens


def test_services_find_each_other() -> None:
    environ: dict[str, str] = SERVICES["collector"]["environment"]
    host, _, port = environ["JAEGER_ENDPOINT"].partition(":")
    assert SERVICES[host]["environment"]["JAEGER_OTLP_GRPC_ENDPOINT"] == f"0.0.0.0:{port}"
    assert environ["ZIPKIN_ENDPOINT"].startswith("http://zipkin:9411/")
    assert "zipkin" in SERVICES


def test_the_named_volumes_are_declared() -> None:
    named = {
        mount.partition(":")[0]
        for service in SERVICES.values()
        for mount in service.get("volumes", [])
        if not mount.startswith("./")
    }
    assert named == set(COMPOSE["volumes"])


def test_the_operators_collectors_are_those_of_the_files() -> None:
    assert TARGET.read_text("utf-8") == written(), "python tests/backends/kubernetes.py"


@pytest.mark.parametrize("index", [0, 1], ids=["gateway", "load-balancer"])
def test_an_operators_collector_is_valid(tmp_path: Path, index: int) -> None:
    resource = list(yaml.safe_load_all(TARGET.read_text("utf-8")))[index]
    (tmp_path / "config.yaml").write_text(json.dumps(resource["spec"]["config"]), "utf-8")
    environ = {one["name"]: one["value"] for one in resource["spec"]["env"]}
    done = subprocess.run(
        [str(COLLECTOR.path), "validate", f"--config={tmp_path / 'config.yaml'}"],
        env=plain_environ({**AWS, **environ}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_load_balancers_send_to_the_gateways() -> None:
    gateway, balancer = yaml.safe_load_all(TARGET.read_text("utf-8"))
    for exporter in ("load_balancing/traces", "load_balancing/metrics"):
        resolver = balancer["spec"]["config"]["exporters"][exporter]["resolver"]
        host = resolver["dns"]["hostname"].partition(".")[0]
        assert (list(resolver), host) == (
            ["dns"],
            f"{gateway['metadata']['name']}-collector-headless",
        )


def test_applications_are_instrumented_to_send_to_the_load_balancers() -> None:
    _, balancer = yaml.safe_load_all(TARGET.read_text("utf-8"))
    resource = yaml.safe_load((CONFIG / "kubernetes/instrumentation.yaml").read_text("utf-8"))
    endpoint = resource["spec"]["exporter"]["endpoint"]
    assert endpoint.startswith(f"http://{balancer['metadata']['name']}-collector.")
    assert endpoint.endswith(":4318")
