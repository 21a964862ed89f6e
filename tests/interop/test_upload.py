"""The upload hook on real file systems of fsspec: what is written, and the references to it."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import subprocess
import sys
import textwrap
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from completed import REFERENCES, RULES, infer, references

from otel_agents.instrumentors._core.hooks import completion
from otel_agents.instrumentors.upload import UploadHook, upload_hook
from otel_agents.testing.emission import Emission

BASE = "OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH"
fsspec: Any = importlib.import_module("fsspec")  # it has no types


@pytest.mark.parametrize("file_format", ["json", "jsonl"])
def test_content_is_written_and_referred_to(
    file_format: str, tmp_path: Path, emission: Emission
) -> None:
    hook = UploadHook(fsspec, str(tmp_path / "new"), file_format, 20)
    for _ in range(2):
        infer(emission, hook)
        assert hook.flush(5)
    read: dict[str, Any] = {}
    for name, path in references(emission.spans[0].attributes).items():
        text = Path(path).read_text()
        lines = [json.loads(line) for line in text.splitlines()]
        read[name] = lines if file_format == "jsonl" else lines[0]
    if file_format == "jsonl":
        assert read == {
            name: [{**one, "index": number} for number, one in enumerate(items)]
            for name, items in REFERENCES.items()
        }
    else:
        assert read == REFERENCES
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    kinds = ["inputs", "inputs", "outputs", "outputs", "system_instruction", "tool.definitions"]
    assert sorted(name.partition("_")[2] for name in names) == [f"{k}.{file_format}" for k in kinds]
    rules = hashlib.sha256(
        json.dumps(RULES, separators=(",", ":"), sort_keys=True).encode()
    ).hexdigest()
    assert f"{rules}_system_instruction.{file_format}" in names
    assert "hello" not in emission.texts()


def test_the_event_refers_to_it_too(tmp_path: Path, emission: Emission) -> None:
    hook = UploadHook(fsspec, str(tmp_path), "json", 20)
    infer(emission, hook, OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT="true")
    ((_, attributes),) = emission.events
    assert references(attributes) == references(emission.span.attributes)
    assert len(references(attributes)) == 4
    assert hook.flush(5)


def test_a_url_of_fsspec_is_written_to(emission: Emission) -> None:
    hook = UploadHook(fsspec, "memory://bucket/prompts/", "json", 20)
    infer(emission, hook)
    assert hook.flush(5)
    for name, url in references(emission.span.attributes).items():
        assert url.startswith("memory://bucket/prompts/")
        with fsspec.open(url) as file:
            assert json.load(file) == REFERENCES[name]


def test_a_forked_child_uploads_its_own_and_only_that(tmp_path: Path) -> None:
    """In a process without other threads than the hook's."""
    code = f"""
        import os, sys, fsspec
        from otel_agents.instrumentors._core.hooks.completion_types import InputMessage, TextPart
        from otel_agents.instrumentors.upload import UploadHook
        hook = UploadHook(fsspec, {str(tmp_path)!r}, "json", 20)
        def say(text):
            hook.on_completion(
                inputs=[InputMessage("user", [TextPart(text)])], outputs=[], system_instruction=[]
            )
        say("parent")
        child = os.fork()
        if not child:
            say("child")
            os._exit(0 if hook.flush(5) else 1)
        assert hook.flush(5)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)], timeout=60, check=False
    )
    assert ran.returncode == 0
    logged = [
        message["parts"][0]["content"]
        for path in tmp_path.iterdir()
        for message in json.loads(path.read_text())
    ]
    assert sorted(logged) == ["child", "parent"]


def test_pending_uploads_are_written_at_exit(tmp_path: Path) -> None:
    code = """
        from otel_agents.instrumentors._core.hooks.completion_types import InputMessage, TextPart
        from otel_agents.instrumentors.upload import upload_hook
        hook = upload_hook()
        for number in range(20):
            hook.on_completion(
                inputs=[InputMessage("user", [TextPart("x")])], outputs=[], system_instruction=[]
            )
    """
    environ = {**os.environ, BASE: str(tmp_path)}
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=environ, timeout=60, check=True
    )
    assert len(list(tmp_path.iterdir())) == 20


@pytest.mark.parametrize(
    ("base", "why"),
    [
        ("", f"no destination is set: set {BASE} to a path or an fsspec URL"),
        ("nosuch://bucket", "nosuch://bucket cannot be used: Protocol not known: nosuch"),
    ],
)
def test_an_invalid_path_is_one_line_and_no_hook(
    base: str, why: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(BASE, base)
    assert upload_hook() is None
    assert caplog.messages == [f"otel-agents: nothing is uploaded, since {why}"]


def test_the_setting_names_it_without_colliding_with_the_official_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emission: Emission
) -> None:
    monkeypatch.setenv(BASE, str(tmp_path))
    monkeypatch.setattr(
        completion, "named", completion.named.__wrapped__
    )  # the process would keep this hook
    names = {one.name for one in entry_points(group="opentelemetry_genai_completion_hook")}
    assert {"upload", "otel_agents_upload"} <= names
    infer(emission, None, OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK="otel_agents_upload")
    recorded = references(emission.span.attributes)
    assert list(recorded) == list(REFERENCES)
    assert {Path(path).parent for path in recorded.values()} == {tmp_path}
