"""The upload hook never blocks the caller; dropped uploads are counted, and logged once."""

from __future__ import annotations

import sys
import threading
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import pytest
from completed import infer, references
from forked import in_a_forked_child
from opentelemetry.context import attach, detach, get_current, get_value, set_value

from otel_agents.distro.starting.threads import carry_context_into_threads
from otel_agents.instrumentors._core.hooks.jobs import JobQueue
from otel_agents.instrumentors._core.tables import Counts
from otel_agents.instrumentors.upload import UploadHook, upload_hook
from otel_agents.testing.emission import Emission

BASE = "OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH"


class Slow:
    """A file system that waits for permission to go on."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.release = threading.Event()
        self.written: list[str] = []

    def url_to_fs(self, path: str, **_: Any) -> Any:
        return self, path

    def exists(self, path: str) -> bool:
        return False

    def pipe_file(self, path: str, data: bytes) -> None:
        self.entered.release()
        assert self.release.wait(10)
        self.written.append(path)


def test_uploads_beyond_the_queue_are_dropped_counted_and_logged_once(
    emission: Emission, counts: Counts, caplog: pytest.LogCaptureFixture
) -> None:
    files = Slow()
    hook = UploadHook(files, "slow://b", "json", 2)
    infer(emission, hook)  # two of four are queued, none is done
    for _ in range(3):
        infer(emission, hook)
    files.release.set()
    assert hook.flush(5)
    recorded = [path for span in emission.spans for path in references(span.attributes).values()]
    assert sorted(files.written) == sorted(set(recorded))
    assert counts["dropping uploads"] > 0
    (line,) = caplog.messages
    assert line == (
        "otel-agents: uploads are slower than calls: the queue of 2 is full and further ones are dropped; raise "
        "OTEL_INSTRUMENTATION_GENAI_UPLOAD_MAX_QUEUE_SIZE"
    )


def test_exit_waits_no_longer_than_its_timeout(
    emission: Emission, counts: Counts, caplog: pytest.LogCaptureFixture
) -> None:
    files = Slow()
    hook = UploadHook(files, "slow://b", "json", 20)
    infer(emission, hook)
    for _ in range(4):
        assert files.entered.acquire(timeout=5)
    hook.close(0.01)
    (line,) = caplog.messages
    assert line == (
        "otel-agents: 4 uploads did not finish within the exit timeout of 0.01 s; "
        "raise OTEL_AGENTS_EXIT_TIMEOUT"
    )
    assert counts == {"uploading content before exit": 4}
    files.release.set()
    assert hook.flush(5)
    hook.close(5)
    assert len(caplog.messages) == 1


class Broken(Slow):
    """A file system that fails, once or always."""

    def __init__(self, error: BaseException, times: int) -> None:
        super().__init__()
        self._error = error
        self._times = times

    def pipe_file(self, path: str, data: bytes) -> None:
        self._times -= 1
        if self._times >= 0:
            raise self._error
        self.written.append(path)


def test_a_failed_upload_is_counted_and_logged_once(
    emission: Emission, counts: Counts, caplog: pytest.LogCaptureFixture
) -> None:
    hook = UploadHook(Broken(PermissionError(13, "Permission denied"), 99), "b://b", "json", 20)
    for _ in range(2):
        infer(emission, hook)
        assert hook.flush(5)
    assert counts == {"uploading content": 8}
    (line,) = caplog.messages
    assert line == (
        "otel-agents: an upload to b://b failed (PermissionError: Permission denied); "
        "further failures are only counted"
    )


@pytest.mark.usefixtures("counts")
@pytest.mark.parametrize("error", [ValueError("planted-secret"), SystemExit("planted-secret")])
def test_a_failed_upload_is_retried_with_the_next_call(
    error: BaseException, emission: Emission
) -> None:
    files = Broken(error, 4)
    hook = UploadHook(files, "b://b", "json", 20)
    for _ in range(2):
        infer(emission, hook)
        assert hook.flush(5)
    assert sorted(files.written) == sorted(references(emission.spans[1].attributes).values())
    assert len(files.written) == 4


def test_uploads_are_not_traced_and_carry_no_context() -> None:
    seen: list[Any] = []

    def work(job: int) -> None:
        seen.append((job, get_value("suppress_instrumentation"), len(get_current())))

    queue = JobQueue(work, 5, 1)
    assert queue.put(1)
    assert queue.flush(5) == 0
    assert seen == [(1, True, 2)]


def test_uploads_do_not_inherit_the_first_calls_context() -> None:
    """Where each thread inherits the context that started it."""
    seen: list[Any] = []
    queue: JobQueue[int] = JobQueue(lambda _: seen.append(get_value("of the call")), 5, 1)
    undo = carry_context_into_threads()
    token = attach(set_value("of the call", 1))
    try:
        assert queue.put(1)
        assert queue.flush(5) == 0
    finally:
        detach(token)
        undo()
    assert seen == [None]


def test_without_fsspec_the_hook_is_off_and_logs_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(BASE, "/prompts")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    assert upload_hook() is None
    assert caplog.messages == [
        (
            "otel-agents: nothing is uploaded, since fsspec is not installed: "
            "pip install 'otel-agents-instrumentors[upload]'"
        )
    ]


def test_the_hook_has_its_old_path_for_one_release() -> None:
    old = import_module("otel_agents.instrumentors._core.upload")
    assert old.upload_hook is upload_hook
    assert old.UploadHook is UploadHook


def test_its_entry_point_is_public() -> None:
    (found,) = entry_points(group="opentelemetry_genai_completion_hook", name="otel_agents_upload")
    assert found.value == "otel_agents.instrumentors.upload:upload_hook"
    assert found.load() is upload_hook


def test_a_forked_child_has_its_own_queue() -> None:
    entered, release, done = threading.Event(), threading.Event(), list[str]()

    def work(job: str) -> None:
        entered.set()
        assert release.wait(20)
        done.append(job)

    queue = JobQueue(work, 2, 1)
    assert queue.put("at work")
    assert entered.wait(20)
    assert queue.put("waits")
    assert queue.put("waits too")
    assert not queue.put("finds no room")

    def child() -> object:
        release.set()
        return queue.put("the child's"), queue.flush(20), done

    assert in_a_forked_child(child, meanwhile=release.set) == '(True, 0, ["the child\'s"])'
    assert queue.flush(20) == 0
    assert done == ["at work", "waits", "waits too"]
