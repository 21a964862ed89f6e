"""The upload hook: files under the base path, references on the span, nothing in the caller's way."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from emission import Emission

from otel_agents.instrumentors._core.operations import Inference
from otel_agents.instrumentors._core.telemetry import Telemetry
from otel_agents.instrumentors._core.upload import UploadHook
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv.values import Operation

fsspec: Any = pytest.importorskip("fsspec", reason="an extra; the environment openai3 has it")
HELLO = [{"role": "user", "parts": [{"type": "text", "content": "hello"}]}]
ANSWER = [{"role": "assistant", "parts": [{"type": "text", "content": "hi"}]}]
RULES = [{"type": "text", "content": "be brief"}]


def infer(emission: Emission, hook: Any) -> None:
    telemetry = Telemetry(
        "test", settings=Settings.read({}), completion_hook=hook, **emission.providers
    )
    call = Inference(telemetry, Operation.CHAT, "openai", "m", ("h", 1))
    call.content.input_messages = HELLO
    call.content.output_messages = ANSWER
    call.content.system_instructions = RULES
    call.response_id, call.response_model = "r1", "m"
    call.input_tokens, call.output_tokens, call.finish_reasons = 1, 1, ("stop",)
    call.end()


@pytest.mark.parametrize("file_format", ["json", "jsonl"])
def test_content_is_written_and_referred_to(
    file_format: str, tmp_path: Path, emission: Emission
) -> None:
    hook = UploadHook(fsspec, str(tmp_path / "new"), file_format, 20)
    infer(emission, hook)
    infer(emission, hook)
    assert hook.flush(5)
    written = {
        name: json.loads(Path(str(path)).read_text())
        for name, path in (emission.spans[0].attributes or {}).items()
        if name.endswith("_ref")
    }
    one = file_format == "jsonl"
    assert written == {
        "otel_agents.content.input_messages_ref": HELLO[0] if one else HELLO,
        "otel_agents.content.output_messages_ref": ANSWER[0] if one else ANSWER,
        "otel_agents.content.system_instructions_ref": RULES[0] if one else RULES,
    }
    rules = [
        (span.attributes or {})["otel_agents.content.system_instructions_ref"]
        for span in emission.spans
    ]
    assert rules[0] == rules[1]
    assert len(list((tmp_path / "new").iterdir())) == 5
    assert "hello" not in emission.texts()


def test_what_finds_the_queue_full_is_dropped_and_said_once(
    tmp_path: Path, emission: Emission, caplog: pytest.LogCaptureFixture
) -> None:
    release = threading.Event()

    class Slow:
        def open(self, *arguments: Any, **options: Any) -> Any:
            release.wait(5)
            return fsspec.open(*arguments, **options)

    hook = UploadHook(Slow(), str(tmp_path), "json", 1)
    with caplog.at_level(logging.WARNING, "otel_agents"):
        for _ in range(3):
            infer(emission, hook)
    assert hook.dropped >= 6
    assert len(caplog.records) == 1
    release.set()
    assert hook.flush(5)
