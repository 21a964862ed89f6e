"""Deprecated: the upload hook is `otel_agents.instrumentors.upload`; this goes in the next release."""

from __future__ import annotations

from .hooks.upload import UploadHook, upload_hook

__all__ = ["UploadHook", "upload_hook"]
