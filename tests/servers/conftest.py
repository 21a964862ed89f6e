"""What tests of servers get."""

from __future__ import annotations

from worked_jobs import telemetry

__all__ = ["telemetry"]
