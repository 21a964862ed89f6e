"""MLflow's real tracking server."""

from __future__ import annotations

import sys
from typing import Any

from backends.program import Program, fetch_json, responds
from otlp_receiver import free_port

__all__ = ["Mlflow"]

QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
_LEAN = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


class Mlflow(Program):
    """MLflow on a free port of loopback, with its own database; experiment 0 receives the traces."""

    def __init__(self) -> None:
        port = free_port()
        self.page = f"http://127.0.0.1:{port}"
        store = ["--backend-store-uri=sqlite:///mlflow.db", "--default-artifact-root=artifacts"]
        where = ["--host=127.0.0.1", f"--port={port}", "--workers=1"]
        super().__init__(
            [sys.executable, "-m", "mlflow", "server", *store, *where],
            {**QUIET, **_LEAN},
            seconds=120,
        )

    @property
    def environ(self) -> dict[str, str]:
        """Variables with its address for a Collector and MLflow's client."""
        return {"MLFLOW_TRACKING_URI": self.page, **QUIET}

    def ready(self) -> bool:
        return responds(f"{self.page}/health")

    def experiment(self, name: str) -> str:
        """Create an experiment; return its id."""
        made = fetch_json(f"{self.page}/api/2.0/mlflow/experiments/create", {"name": name})
        return made["experiment_id"]

    def search(self, condition: str = "", experiment: str = "0") -> list[dict[str, Any]]:
        """Return ``TraceInfoV3`` of the traces that match a filter in MLflow's language."""
        location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
        query = {"locations": [location], "filter": condition, "max_results": 100}
        found = fetch_json(f"{self.page}/api/3.0/mlflow/traces/search", query)
        return found.get("traces", [])

    def trace(self, trace_id: str) -> dict[str, Any]:
        """Return one trace with its spans: ``{"trace_info": …, "spans": […]}``.

        Raises:
            Unavailable: It has no such trace.
        """
        address = f"{self.page}/api/3.0/mlflow/traces/get?trace_id=tr-{trace_id}"
        return fetch_json(address)["trace"]

    def spans(self, trace_id: str) -> list[dict[str, Any]]:
        """Return the spans of a trace, in OTLP's JSON; texts that are JSON are parsed."""
        return self.trace(trace_id)["spans"]
