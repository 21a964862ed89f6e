"""The completion hooks of the official package, called by our gate."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any, cast

from completed import HELLO, RESPONSE, RULES, TOOLS, infer

from otel_agents.instrumentors._core.telemetry.gate import Gate
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission

hooks: Any = importlib.import_module("opentelemetry.util.genai.completion_hook")  # no types
uploads: Any = importlib.import_module("opentelemetry.util.genai._upload.completion_hook")


def test_the_official_hook_for_none_collects_nothing() -> None:
    assert Gate(Settings.read({}), hooks.load_completion_hook()).enabled is False


def test_the_official_upload_hook_works(tmp_path: Path) -> None:
    hook = uploads.UploadCompletionHook(base_path=str(tmp_path))
    emission = Emission()  # its attributes are not in the conventions
    infer(emission, hook)
    hook.shutdown()
    read = {
        name: json.loads(Path(str(path).removeprefix("file://")).read_text("utf-8"))
        for name, path in (emission.span.attributes or {}).items()
        if name.endswith("_ref")
    }
    emission.close()
    assert given(read) == {
        "gen_ai.input.messages_ref": HELLO,
        "gen_ai.output.messages_ref": [
            RESPONSE[0],  # the official class of a blob has no size and hash
            {
                "role": "assistant",
                "parts": [{"type": "blob", "modality": "image"}],
                "finish_reason": "length",
            },
        ],
        "gen_ai.system_instructions_ref": RULES,
        "gen_ai.tool.definitions_ref": TOOLS,
    }


def given(value: Any) -> Any:
    """Return ``value`` without the unset fields of the official classes."""
    if isinstance(value, list):
        return [given(one) for one in cast(list[Any], value)]
    if isinstance(value, dict):
        fields = cast(dict[str, Any], value).items()
        return {name: given(one) for name, one in fields if one not in (None, "")}
    return value
