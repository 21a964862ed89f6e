"""The completion hook ``otel_agents_upload``: content as files, with references on the spans.

Enable it with ``OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK=otel_agents_upload``.
``OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH`` is its destination, a path or an fsspec URL.
"""

from __future__ import annotations

from ._core.hooks.upload import UploadHook, upload_hook

__all__ = ["UploadHook", "upload_hook"]
