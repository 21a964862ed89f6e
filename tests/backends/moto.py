"""A fake AWS that stores and returns X-Ray segments; it enforces no limit."""

from __future__ import annotations

import json
import sys
from typing import Any

from backends.program import Program, fetch, responds
from otlp_receiver import free_port

__all__ = ["Moto"]

# moto reads only the service of a request's signature.
_SIGNED = "AWS4-HMAC-SHA256 Credential=none/20260101/us-east-1/xray/aws4_request, SignedHeaders=host, Signature=none"


class Moto(Program):
    """moto's server on a free port of loopback."""

    def __init__(self) -> None:
        port = free_port()
        self.page = f"http://127.0.0.1:{port}"
        start = "from moto.server import main; main()"
        super().__init__([sys.executable, "-c", start, "-H", "127.0.0.1", "-p", str(port)], {})

    @property
    def environ(self) -> dict[str, str]:
        """Variables with its address for a Collector."""
        return {"XRAY_ENDPOINT": self.page}

    def ready(self) -> bool:
        return responds(f"{self.page}/moto-api/data.json")

    def documents(self, trace_id: str) -> list[dict[str, Any]]:
        """Return the segment documents of a trace, by its OpenTelemetry id."""
        query = {"TraceIds": [f"1-{trace_id[:8]}-{trace_id[8:]}"]}
        headers = {"Authorization": _SIGNED, "Content-Type": "application/json"}
        response = fetch(f"{self.page}/Traces", body=json.dumps(query).encode(), headers=headers)
        return [
            json.loads(segment["Document"])
            for trace in json.loads(response)["Traces"]
            for segment in trace["Segments"]
        ]
