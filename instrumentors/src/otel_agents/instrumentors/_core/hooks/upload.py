"""Our own completion hook: writes content to a path or an fsspec URL, and records references.

It follows the contract of the ``OTEL_INSTRUMENTATION_GENAI_UPLOAD_*`` variables. Inputs and outputs
get a file each; system instructions and tool definitions get one per content, named by its hash.
The references are ``otel_agents.content.*_ref``, as the conventions have no attributes for them
yet.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib
import json
import logging
import os
import uuid
from collections.abc import Mapping
from typing import Any, Final, Protocol

from opentelemetry._logs import LogRecord
from opentelemetry.trace import Span

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.encoding.plain import dump, json_copy
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv import attributes as attr

from .completion_objects import content_of
from .jobs import JobQueue

__all__ = ["UploadHook", "upload_hook"]

_log = logging.getLogger("otel_agents")

_KNOWN: Final = 4096
_THREADS: Final = 4
_LOCAL: Final = ("file://", "local://")
_DROPPED: Final = "dropping uploads"
_FAILED: Final = "uploading content"
_LATE: Final = "uploading content before exit"


class FsSpec(Protocol):
    """The part of the module ``fsspec`` that uploads need."""

    def url_to_fs(self, url: str, /, **kwargs: Any) -> tuple[Any, str]:
        """Return the file system of ``url`` and the path in it."""
        ...


def upload_hook() -> UploadHook | None:
    """Return the hook that the settings describe; None, and one log line, if it cannot work."""
    settings = Settings.read()
    base = settings.upload_base_path
    if base is None:
        _log.warning(
            "otel-agents: nothing is uploaded, since no destination is set: "
            "set OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH to a path or an fsspec URL"
        )
        return None
    try:
        fsspec: Any = importlib.import_module("fsspec")
    except ImportError:
        _log.warning(
            "otel-agents: nothing is uploaded, since fsspec is not installed: "
            "pip install 'otel-agents-instrumentors[upload]'"
        )
        return None
    try:
        fsspec.get_filesystem_class(base.partition("://")[0] if "://" in base else "file")
    except (ImportError, ValueError) as error:
        _log.warning("otel-agents: nothing is uploaded, since %s cannot be used: %s", base, error)
        return None
    hook = UploadHook(fsspec, base, settings.upload_format, settings.upload_max_queue_size)
    atexit.register(hook.close, settings.exit_timeout)
    return hook


class UploadHook:
    """Uploads content on its own threads; dropped uploads are counted, and logged once.

    Example:
        >>> import fsspec
        >>> hook = UploadHook(fsspec, "memory://prompts", "json", 20)

    Args:
        fsspec: The module.
        base: The destination: a path, or an fsspec URL.
        file_format: ``json``, one document per file, or ``jsonl``, one line per item.
        limit: The maximum number of queued uploads.
    """

    def __init__(self, fsspec: FsSpec, base: str, file_format: str, limit: int) -> None:
        self._fsspec = fsspec
        self._base = base.rstrip("/") if "://" in base else os.path.abspath(base)
        self._local = "://" not in base or base.startswith(_LOCAL)
        self._format = file_format
        self._limit = limit
        self._known: dict[str, None] = {}
        self._queue = JobQueue(self._write, limit, _THREADS)

    def on_completion(
        self,
        *,
        inputs: list[Any],
        outputs: list[Any],
        system_instruction: list[Any],
        tool_definitions: list[Any] | None = None,
        span: Span | None = None,
        log_record: LogRecord | None = None,
        **_: Any,
    ) -> None:
        """Queue the content of one call, and set the references to it on span and record."""
        call = str(uuid.uuid4())
        paths = {
            attr.OTEL_AGENTS_CONTENT_INPUT_MESSAGES_REF: self._put(f"{call}_inputs", inputs),
            attr.OTEL_AGENTS_CONTENT_OUTPUT_MESSAGES_REF: self._put(f"{call}_outputs", outputs),
            attr.OTEL_AGENTS_CONTENT_SYSTEM_INSTRUCTIONS_REF: self._put_once(
                "system_instruction", system_instruction
            ),
            attr.OTEL_AGENTS_CONTENT_TOOL_DEFINITIONS_REF: self._put_once(
                "tool.definitions", tool_definitions
            ),
        }
        references = {name: path for name, path in paths.items() if path is not None}
        if span is not None:
            span.set_attributes(references)
        if log_record is not None:
            present: Mapping[str, Any] = log_record.attributes or {}
            log_record.attributes = {**present, **references}

    def _put_once(self, name: str, objects: list[Any] | None) -> str | None:
        """Queue content that many calls share only once, named by the hash of its JSON."""
        if not objects:
            return None
        text = json.dumps(_contents(objects), sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(text.encode()).hexdigest()
        path = self._path(f"{digest}_{name}")
        if path in self._known:
            return path
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[path] = None
        queued = self._put(f"{digest}_{name}", objects)
        if queued is None:
            self._known.pop(path, None)
        return queued

    def _put(self, name: str, objects: list[Any]) -> str | None:
        """Queue a file and return its path; None if it is empty or the queue is full."""
        if not objects:
            return None
        path = self._path(name)
        if self._queue.put((path, _contents(objects))):
            return path
        self._count_dropped(
            _DROPPED,
            1,
            "otel-agents: uploads are slower than calls: the queue of %d is full and further ones "
            "are dropped; raise OTEL_INSTRUMENTATION_GENAI_UPLOAD_MAX_QUEUE_SIZE",
            self._limit,
        )
        return None

    def _path(self, name: str) -> str:
        return f"{self._base}/{name}.{self._format}"

    def _write(self, job: tuple[str, list[Any]]) -> None:
        path, contents = job
        try:
            options = {"auto_mkdir": True} if self._local else {}
            files, location = self._fsspec.url_to_fs(path, **options)
            if path in self._known and files.exists(location):
                return  # another process wrote the same content
            files.pipe_file(location, self._encoded(contents))
        except BaseException as error:  # our own thread, which must go on
            self._known.pop(path, None)
            why = type(error).__name__
            if isinstance(error, OSError) and error.strerror:
                why = f"{why}: {error.strerror}"
            message = "otel-agents: an upload to %s failed (%s); further failures are only counted"
            self._count_dropped(_FAILED, 1, message, self._base, why)

    def _encoded(self, contents: list[Any]) -> bytes:
        """Return a file's bytes, encoded item by item, so that other threads can run in between."""
        if self._format == "json":
            return b"[" + b",".join(dump(one) for one in contents) + b"]\n"
        lines = ({**one, "index": number} for number, one in enumerate(contents))
        return b"".join(dump(line) + b"\n" for line in lines)

    def flush(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for the queue; return whether every upload was tried."""
        return self._queue.flush(timeout) == 0

    def close(self, timeout: float) -> None:
        """Flush at exit; uploads that are not finished in time are dropped."""
        late = self._queue.flush(timeout)
        if late:
            self._count_dropped(
                _LATE,
                late,
                "otel-agents: %d upload%s did not finish within the exit timeout of %s s; "
                "raise OTEL_AGENTS_EXIT_TIMEOUT",
                late,
                "" if late == 1 else "s",
                timeout,
            )

    def _count_dropped(self, action: str, count: int, message: str, *values: Any) -> None:
        if errors.counts.add(action, count):
            _log.warning(message, *values)


def _contents(objects: list[Any]) -> list[Any]:
    """Return the hook's objects as content: a copy, so that nobody changes a queued upload."""
    return json_copy([content_of(one) for one in objects])
