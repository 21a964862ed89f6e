"""The real Zipkin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.golden import Found, Node
from backends.obtain import ZIPKIN
from backends.program import Program, fetch_json, responds
from otlp_receiver import free_port

__all__ = ["Zipkin", "found"]


class Zipkin(Program):
    """Zipkin on a free port of loopback; it holds traces in memory."""

    def __init__(self) -> None:
        self.page = f"http://127.0.0.1:{(port := free_port())}"
        where = {
            "ip": "127.0.0.1",
            "port": port,
            "protocols[0]": "http",
        }  # or it listens everywhere
        options = ["-Xmx512m", "-XX:TieredStopAtLevel=1"]
        options += [f"-Darmeria.ports[0].{name}={value}" for name, value in where.items()]
        off = {"SELF_TRACING_ENABLED": "false"}
        super().__init__(["java", *options, "-jar", ZIPKIN.path], off)

    @property
    def environ(self) -> dict[str, str]:
        """Variables with its address for a Collector."""
        return {"ZIPKIN_ENDPOINT": f"{self.page}/api/v2/spans"}

    def ready(self) -> bool:
        return responds(f"{self.page}/health")

    def spans(self, trace_id: str) -> list[dict[str, Any]]:
        """Return the spans of a trace from its query API.

        Raises:
            Unavailable: It has no such trace.
        """
        return fetch_json(f"{self.page}/api/v2/trace/{trace_id}")


def found(span: Mapping[str, Any]) -> Found:
    """Return a span of its API without what the Collector's exporter adds."""
    tags = {name: value for name, value in span["tags"].items() if not name.startswith("otel.")}
    kind = span.get("kind") or tags.pop("span.kind").upper()
    error = tags.pop("error", None) == "true"
    tags.pop("service.instance.id")
    node = Node(span["name"], kind, None, tags, error)
    return Found(span["id"], span.get("parentId"), span["timestamp"], node)
