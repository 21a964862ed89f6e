"""Deprecated: use `otel_agents.instrumentors.upload`. This module goes in the next release."""

from __future__ import annotations

from .hooks.upload import UploadHook, upload_hook

__all__ = ["UploadHook", "upload_hook"]
