"""The completion hook ``otel_agents_upload``: content as files, and references to them on the spans.

Chosen by ``OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK=otel_agents_upload``; it writes where
``OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH`` says, a path or a URL of fsspec.
"""

from __future__ import annotations

from ._core.hooks.upload import UploadHook, upload_hook

__all__ = ["UploadHook", "upload_hook"]
