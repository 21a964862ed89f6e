"""Writes the operator's Collectors from the configuration files: ``python tests/backends/kubernetes.py``.

It runs in the environment ``backends``. A resource of the operator holds its configuration, so that
what these files share with the others has to be repeated in them; a test holds both equal.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

__all__ = ["CONFIG", "TARGET", "merged", "written"]

CONFIG = Path(__file__).parents[2] / "collector-config"
TARGET = CONFIG / "kubernetes/collectors.yaml"
_VERSIONS = json.loads((CONFIG / "versions.json").read_text("utf-8"))
_IMAGE = "otel/opentelemetry-collector-contrib"
_OPENING = """\
# Gateways that sample whole traces, and the load balancers in front of them, for the OpenTelemetry operator. Not run by
# the tests: they check that each configuration is valid and that of common.yaml, jaeger.yaml and gateway.yaml, and of
# common.yaml and load-balancer.yaml.
#
#   kubectl apply --namespace observability --filename collectors.yaml
#
# Applications send to http://load-balancer-collector.observability.svc.cluster.local:4318. Written by
# `python tests/backends/kubernetes.py`: edit the files that it is made from.
"""
_EVERYWHERE: dict[str, Any] = {
    "receivers": {
        "otlp": {
            "protocols": {
                "grpc": {"endpoint": "0.0.0.0:4317"},
                "http": {"endpoint": "0.0.0.0:4318"},
            }
        }
    },
    "extensions": {"health_check": {"endpoint": "0.0.0.0:13133"}},
    "exporters": {"prometheus": {"endpoint": "0.0.0.0:8889"}},
}
"""The operator reads ports from the configuration, and takes no variable there."""
_FOLLOWING: dict[str, Any] = {
    "resolver": {
        "static": None,
        "dns": {
            "hostname": "gateway-collector-headless.observability.svc.cluster.local",
            "port": "4317",
        },
    }
}


def merged(*parts: dict[str, Any]) -> dict[str, Any]:
    """Merge configurations as a Collector does: maps are merged, lists and values replaced.

    A value of None takes a key out, which a Collector cannot.
    """
    whole: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            if value is None and key in whole:
                del whole[key]
            elif isinstance(value, dict):
                whole[key] = merged(whole.get(key) or {}, value)  # pyright: ignore[reportUnknownArgumentType]  YAML's
            else:
                whole[key] = value
    return whole


def _files(*names: str) -> list[dict[str, Any]]:
    return [yaml.safe_load((CONFIG / f"{name}.yaml").read_text("utf-8")) for name in names]


def _collector(
    name: str, replicas: int, config: dict[str, Any], env: dict[str, str]
) -> dict[str, Any]:
    own = {
        "OTELCOL_STATE": "/var/lib/otelcol",
        "TELEMETRY_HOST": "0.0.0.0",
        "GOMEMLIMIT": "1600MiB",
    }
    return {
        "apiVersion": "opentelemetry.io/v1beta1",
        "kind": "OpenTelemetryCollector",
        "metadata": {"name": name},
        "spec": {
            "mode": "statefulset",  # each keeps its queue
            "replicas": replicas,
            "image": f"{_IMAGE}:{_VERSIONS['images'][_IMAGE]}",
            "env": [{"name": key, "value": value} for key, value in {**own, **env}.items()],
            "resources": {
                "limits": {"memory": "2Gi"},
                "requests": {"cpu": "500m", "memory": "1Gi"},
            },
            "podSecurityContext": {"fsGroup": 10001},
            "volumeMounts": [{"name": "state", "mountPath": "/var/lib/otelcol"}],
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "state"},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": "10Gi"}},
                    },
                }
            ],
            "config": config,
        },
    }


def written() -> str:
    """Return the text of the file."""
    following = {"load_balancing/traces": _FOLLOWING, "load_balancing/metrics": _FOLLOWING}
    gateway = merged(*_files("common", "jaeger", "gateway"), _EVERYWHERE)
    balancer = merged(*_files("common", "load-balancer"), _EVERYWHERE, {"exporters": following})
    jaeger = {"JAEGER_ENDPOINT": "jaeger-collector.observability.svc.cluster.local:4317"}
    resources = [
        _collector(
            "gateway", 2, gateway, {**jaeger, "LOGS_FILE": "/var/lib/otelcol/logs/logs.jsonl"}
        ),
        _collector("load-balancer", 2, balancer, {}),
    ]

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    options: dict[str, Any] = {"sort_keys": False, "width": 1_000_000, "Dumper": Plain}
    return f"{_OPENING}---\n{yaml.dump_all(resources, **options)}"


if __name__ == "__main__":
    TARGET.write_text(written(), "utf-8")
