"""The official and OpenInference's instrumentations of the SDK, started beside ours, add no response."""

from __future__ import annotations

from native_conflicts import ConflictLaws


class TestAgentFramework(ConflictLaws):
    """With each way of `agent_framework_runs.WAYS`."""
