"""Our own completion hook: writes content to a path or URL of fsspec, and leaves references.

Contract of the ``OTEL_INSTRUMENTATION_GENAI_UPLOAD_*`` variables. Inputs and outputs get a file of
their own each; system instructions and tool definitions one per content, named by its hash. The
references go to ``otel_agents.content.*_ref``, as the conventions have no attributes for them yet.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib
import logging
import os
import queue
import threading
import uuid
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry._logs import LogRecord
from opentelemetry.trace import Span

from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv import attributes as attr

from . import errors
from .encoding import dump
from .hooks import as_plain

__all__ = ["UploadHook", "upload_hook"]

_log = logging.getLogger("otel_agents")

_KNOWN_LIMIT: Final = 4096
_EXIT_SECONDS: Final = 5.0


def upload_hook() -> UploadHook | None:
    """The hook that the settings describe; None, and one line why, where it cannot work."""
    settings = Settings.read()
    if settings.upload_base_path is None:
        _log.warning(
            "otel-agents: nothing is uploaded, since it is not said where to: "
            "set OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH to a path or a URL of fsspec"
        )
        return None
    try:
        fsspec = importlib.import_module("fsspec")
    except ImportError:
        _log.warning(
            "otel-agents: nothing is uploaded, since fsspec is not installed: "
            "pip install 'otel-agents-instrumentors[upload]'"
        )
        return None
    return UploadHook(
        fsspec,
        settings.upload_base_path,
        settings.upload_format,
        settings.upload_max_queue_size,
    )


class UploadHook:
    """Uploads on a thread of its own; what finds the queue full is dropped, counted and said once.

    Args:
        fsspec: The module, or what has its ``open``.
        base: Where to write.
        file_format: ``json``, one document a file, or ``jsonl``, one line an item.
        limit: Uploads that may wait.
    """

    def __init__(self, fsspec: Any, base: str, file_format: str, limit: int) -> None:
        self._fsspec = fsspec
        self._base = base.rstrip("/")
        self._format = file_format
        self._limit = limit
        self._known: dict[str, None] = {}
        self.dropped = 0
        self._start()
        os.register_at_fork(after_in_child=self._start)
        atexit.register(self.flush, _EXIT_SECONDS)

    def _start(self) -> None:
        # After a fork the thread and what waited for it are the parent's.
        self._queue: queue.Queue[tuple[str, list[Any]]] = queue.Queue(self._limit)
        self._thread: threading.Thread | None = None

    def on_completion(
        self,
        *,
        inputs: list[Any],
        outputs: list[Any],
        system_instruction: list[Any],
        tool_definitions: list[Any] | None = None,
        span: Span | None = None,
        log_record: LogRecord | None = None,
    ) -> None:
        """Queue the content of one call, and set the references to it."""
        call = uuid.uuid4().hex
        references = {
            attr.OTEL_AGENTS_CONTENT_INPUT_MESSAGES_REF: self._put(f"{call}_inputs", inputs),
            attr.OTEL_AGENTS_CONTENT_OUTPUT_MESSAGES_REF: self._put(f"{call}_outputs", outputs),
            attr.OTEL_AGENTS_CONTENT_SYSTEM_INSTRUCTIONS_REF: self._put_once(
                "system_instruction", system_instruction
            ),
            attr.OTEL_AGENTS_CONTENT_TOOL_DEFINITIONS_REF: self._put_once(
                "tool.definitions", tool_definitions or []
            ),
        }
        known = {name: path for name, path in references.items() if path is not None}
        if span is not None:
            span.set_attributes(known)
        if log_record is not None:
            present: Mapping[str, Any] = log_record.attributes or {}
            log_record.attributes = {**present, **known}

    def _put_once(self, name: str, items: list[Any]) -> str | None:
        """Queue content that many calls share: once, under its hash."""
        if not items:
            return None
        plain = [as_plain(item) for item in items]
        key = f"{hashlib.sha256(dump(plain).encode()).hexdigest()}_{name}"
        if key in self._known:
            return self._path(key)
        path = self._put(key, plain)
        if path is not None:
            self._known[key] = None
            if len(self._known) > _KNOWN_LIMIT:
                del self._known[next(iter(self._known))]
        return path

    def _put(self, name: str, items: list[Any]) -> str | None:
        if not items:
            return None
        try:
            self._queue.put_nowait((self._path(name), [as_plain(item) for item in items]))
        except queue.Full:
            self._drop()
            return None
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="otel-agents-upload")
            self._thread.daemon = True
            self._thread.start()
        return self._path(name)

    def _path(self, name: str) -> str:
        return f"{self._base}/{name}.{self._format}"

    def _drop(self) -> None:
        self.dropped += 1
        if self.dropped == 1:
            _log.warning(
                "otel-agents: uploads are slower than calls: content beyond %d waiting uploads "
                "is dropped; raise OTEL_INSTRUMENTATION_GENAI_UPLOAD_MAX_QUEUE_SIZE",
                self._limit,
            )

    def _run(self) -> None:
        while True:
            path, items = self._queue.get()
            try:
                self._write(path, items)
            except Exception:
                errors.internal_error("uploading content")
            finally:
                self._queue.task_done()

    def _write(self, path: str, items: list[Any]) -> None:
        lines = [dump(items)] if self._format == "json" else [dump(item) for item in items]
        with self._fsspec.open(path, "w", encoding="utf-8", auto_mkdir=True) as file:
            file.write("\n".join(lines) + "\n")

    def flush(self, timeout: float) -> bool:
        """Wait for the queue, ``timeout`` seconds at most; whether everything is written."""
        done = threading.Event()

        def wait() -> None:
            self._queue.join()
            done.set()

        threading.Thread(target=wait, daemon=True).start()
        return done.wait(timeout)
