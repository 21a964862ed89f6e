"""The real Jaeger, with the file of collector-config/."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.collector import CONFIG
from backends.obtain import JAEGER
from backends.program import Program, fetch_json, responds
from otlp_receiver import free_port

__all__ = ["Jaeger"]


class Jaeger(Program):
    """Jaeger on free ports of loopback; it holds traces in memory."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        ports = [f"127.0.0.1:{free_port()}" for _ in range(5)]
        self.otlp_grpc, self.otlp_http, self._query, query_grpc, self._health = ports
        own = {
            "JAEGER_OTLP_GRPC_ENDPOINT": self.otlp_grpc,
            "JAEGER_OTLP_HTTP_ENDPOINT": self.otlp_http,
            "JAEGER_QUERY_ENDPOINT": self._query,
            "JAEGER_QUERY_GRPC_ENDPOINT": query_grpc,
            "JAEGER_HEALTH_ENDPOINT": self._health,
        }
        command = [JAEGER.path, f"--config={CONFIG / 'jaeger-v2.yaml'}"]
        super().__init__(command, {**own, **(environ or {})})

    @property
    def environ(self) -> dict[str, str]:
        """Variables with its address for a Collector."""
        return {"JAEGER_ENDPOINT": self.otlp_grpc}

    @property
    def page(self) -> str:
        """Where its page and its API are."""
        return f"http://{self._query}"

    def ready(self) -> bool:
        return responds(f"http://{self._health}/status")

    def stop(self) -> int:
        """Kill it: on SIGTERM it waits ten seconds for open connections."""
        return self.kill() if self.started else 0

    def services(self) -> list[str]:
        """The services that it knows."""
        return fetch_json(f"{self.page}/api/v3/services")["services"]

    def spans(self, trace_id: str) -> list[dict[str, Any]]:
        """The spans of a trace (OTLP's JSON), as its query API gives them.

        Raises:
            Unavailable: It has no such trace.
        """
        found = fetch_json(f"{self.page}/api/v3/traces/{trace_id}")["result"]
        return [
            span
            for resource in found["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]
