"""The official and OpenInference's instrumentations of the SDK, started beside ours, add no response."""

from __future__ import annotations

from native_conflicts import ConflictLaws


class TestStrands(ConflictLaws):
    """With each way of `strands_runs.WAYS`."""
