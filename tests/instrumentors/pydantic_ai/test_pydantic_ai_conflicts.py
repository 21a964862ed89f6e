"""The official and OpenInference's instrumentations of the SDK, started beside ours, add no response."""

from __future__ import annotations

from native_conflicts import ConflictLaws


class TestPydanticAI(ConflictLaws):
    """With each way of `pydantic_ai_runs.WAYS`."""
