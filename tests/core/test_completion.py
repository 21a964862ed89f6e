"""The completion hook: the official contract, whatever is captured and sampled."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any

import pytest
from contents import emitted, recorded
from opentelemetry._logs import LogRecord
from opentelemetry.trace import INVALID_SPAN, Span

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.hooks import completion, completion_objects
from otel_agents.instrumentors._core.tables import Counts
from otel_agents.instrumentors._core.telemetry.gate import Gate
from otel_agents.instrumentors.settings import Settings

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
NAMED = "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK"
GROUP = "opentelemetry_genai_completion_hook"
OFFICIAL = find_spec("opentelemetry.util.genai") is not None
ARGUMENTS = {"city": "Bern"}
BLOB = {
    "type": "blob",
    "modality": "image",
    "mime_type": "image/png",
    "content": "",
    "otel_agents.bytes": 3,
    "otel_agents.sha256": "abc",
}
REQUESTS: list[dict[str, Any]] = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {"role": "user", "name": "ada", "parts": [{"type": "text", "content": "Hi"}, BLOB]},
    {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "content": "hm"},
            {"type": "tool_call", "id": "c", "name": "weather", "arguments": ARGUMENTS},
            {"type": "server_tool_call", "name": "s", "server_tool_call": {"type": "s"}},
            {"type": "compaction", "id": "k"},
        ],
    },
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": None}]},
    {
        "role": "user",
        "parts": [
            {"type": "uri", "modality": "image", "uri": "https://h.example/a.png"},
            {"type": "file", "modality": "image", "file_id": "f"},
            {
                "type": "server_tool_call_response",
                "server_tool_call_response": {"type": "s", "results": []},
            },
            {"type": "generic", "generic_type": "refusal", "content": "no", "class": 1, "a-b": 2},
        ],
    },
]
RESPONSES = [
    {
        "role": "assistant",
        "parts": [{"type": "text", "content": "Hello"}],
        "finish_reason": "stop",
    }
]
RULES = [{"type": "text", "content": "Rules."}]
TOOLS = [{"type": "function", "name": "weather"}, {"type": "web_search", "name": "search"}]


@pytest.fixture(params=["official", "ours"] if OFFICIAL else ["ours"])
def types(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """With the official package, where the environment has it, and without it."""
    if request.param == "official":
        module = "opentelemetry.util.genai.types"
    else:
        monkeypatch.setitem(sys.modules, "opentelemetry.util.genai.types", None)
        module = "otel_agents.instrumentors._core.hooks.completion_types"
    clear()
    yield module
    clear()


def clear() -> None:
    """Forget the classes, which are looked up once per process."""
    for name in ("_class", "_generic"):
        getattr(completion_objects, name).cache_clear()


class Hook:
    """Records what it gets, and does what the test wants."""

    def __init__(self, act: Callable[[dict[str, Any]], None] = lambda _: None) -> None:
        self.given: list[dict[str, Any]] = []
        self._act = act

    def on_completion(self, **given: Any) -> None:
        self.given.append(given)
        self._act(given)


WHOLE: dict[str, Any] = {
    "input_messages": Items(REQUESTS, dict),
    "output_messages": lambda: RESPONSES,
    "system_instructions": RULES,
    "tool_definitions": TOOLS,
}


def attributes(span: Any) -> dict[str, Any]:
    return dict(span.attributes)


def classes(given: Any) -> Any:
    """Return the names of the classes in the shape of the messages."""
    if isinstance(given, list):
        return [classes(one) for one in given]  # pyright: ignore[reportUnknownVariableType]
    name = type(given).__name__
    return [name, classes(given.parts)] if hasattr(given, "parts") else name


def test_a_hook_gets_the_classes_of_the_contract(types: str) -> None:
    hook = Hook()
    span, record = recorded(), LogRecord(body="e")
    emitted(Gate(Settings.read({}), hook), span, record, **WHOLE)
    (given,) = hook.given
    assert list(given) == [
        "inputs",
        "outputs",
        "system_instruction",
        "tool_definitions",
        "span",
        "log_record",
    ]
    assert (given["span"], given["log_record"]) == (span, record)
    assert classes(given["inputs"]) == [
        ["InputMessage", ["TextPart"]],
        ["InputMessage", ["TextPart", "BlobPart"]],
        [
            "InputMessage",
            ["ReasoningPart", "ToolCallRequestPart", "ServerToolCallPart", "CompactionPart"],
        ],
        ["InputMessage", ["ToolCallResponsePart"]],
        [
            "InputMessage",
            ["UriPart", "FilePart", "ServerToolCallResponsePart", "GenericPart"],
        ],
    ]
    assert classes(given["outputs"]) == [["OutputMessage", ["TextPart"]]]
    assert classes(given["system_instruction"]) == ["TextPart"]
    assert classes(given["tool_definitions"]) == ["FunctionToolDefinition", "GenericToolDefinition"]
    assert {type(one).__module__ for one in (*given["inputs"], *given["tool_definitions"])} == {
        types
    }
    assert given["inputs"][1].parts[1].content == b""
    refusal = given["inputs"][4].parts[3]
    assert (refusal.type, refusal.generic_type, refusal.content) == ("generic", "refusal", "no")
    assert asdict(refusal)["content"] == "no"
    assert attributes(span) == {}
    assert not record.attributes


@pytest.mark.usefixtures("types")
def test_unchanged_content_is_recorded_as_without_a_hook() -> None:
    environ = Settings.read({CAPTURE: "SPAN_ONLY"})
    spans = [recorded(), recorded()]
    for span, hook in zip(spans, (None, Hook()), strict=True):
        emitted(Gate(environ, hook), span, **WHOLE)
    without, with_hook = (
        {name: json.loads(text) for name, text in attributes(span).items()} for span in spans
    )
    assert with_hook == without
    assert len(without) == 4


@pytest.mark.usefixtures("types")
def test_a_hooks_changes_are_recorded_and_do_not_leak() -> None:
    def change(given: dict[str, Any]) -> None:
        given["inputs"][1].parts[0].content = "changed"
        given["inputs"][1].parts[1].content = b"inline"
        given["inputs"][2].parts[1].arguments["city"] = "***"
        del given["inputs"][3:]
        given["outputs"].append({"role": "assistant", "parts": []})
        given["span"].set_attribute("gen_ai.conversation.id", "from the hook")

    span = recorded()
    emitted(Gate(Settings.read({CAPTURE: "SPAN_ONLY"}), Hook(change)), span, **WHOLE)
    found = attributes(span)
    assert found["gen_ai.conversation.id"] == "from the hook"
    messages = json.loads(found["gen_ai.input.messages"])
    assert len(messages) == 3
    assert messages[1]["parts"][0]["content"] == "changed"
    blob = messages[1]["parts"][1]
    assert (blob["content"], blob["otel_agents.bytes"]) == ("", 6)
    assert messages[2]["parts"][1]["arguments"] == {"city": "***"}
    assert json.loads(found["gen_ai.output.messages"]) == [
        *RESPONSES,
        {"role": "assistant", "parts": []},
    ]
    assert ARGUMENTS == {"city": "Bern"}
    assert len(REQUESTS) == 5


@pytest.mark.parametrize("span", [INVALID_SPAN, recorded()], ids=["unsampled", "sampled"])
def test_a_hook_is_called_whatever_is_captured_and_sampled(span: Span) -> None:
    hook = Hook()
    gate = Gate(Settings.read({CAPTURE: "NO_CONTENT"}), hook)
    assert (gate.enabled, gate.policy.on_span, gate.policy.on_event) == (True, False, False)
    emitted(gate, span, **WHOLE)
    assert [given["inputs"][1].parts[0].content for given in hook.given] == ["Hi"]
    assert not getattr(span, "attributes", None)


def test_a_hook_gets_complete_and_redacted_content() -> None:
    hook = Hook()
    settings = Settings.read({CAPTURE: "SPAN_ONLY", "OTEL_AGENTS_CONTENT_MAX_BYTES": "500"})
    gate = Gate(
        settings, hook, redaction_hook=lambda kind, value: [] if kind.startswith("out") else value
    )
    span = recorded()
    text = "x" * 10_000
    long = [{"role": "user", "parts": [{"type": "text", "content": text}]}]
    emitted(gate, span, input_messages=long, output_messages=RESPONSES)
    (given,) = hook.given
    assert given["inputs"][0].parts[0].content == text
    assert given["outputs"] == []
    assert given["tool_definitions"] is None
    assert len(attributes(span)["gen_ai.input.messages"]) <= 500


def test_a_hook_is_not_called_for_operations_without_messages() -> None:
    def explode() -> Any:
        raise AssertionError("converted for nobody")

    hook = Hook()
    gate = Gate(Settings.read({}), hook)
    emitted(gate, recorded(), tool_arguments=explode, tool_result=explode)
    emitted(gate, recorded(), input_messages=REQUESTS, retrieval_query=explode)
    assert len(hook.given) == 1


def test_a_failing_hook_is_counted_and_logged_once_and_harms_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(given: dict[str, Any]) -> None:
        raise ValueError("planted-secret")

    counts = Counts()
    monkeypatch.setattr(errors, "counts", counts)
    gate = Gate(Settings.read({CAPTURE: "SPAN_ONLY"}), Hook(fail))
    for _ in range(2):
        span = recorded()
        emitted(gate, span, **WHOLE)
        assert json.loads(attributes(span)["gen_ai.output.messages"]) == RESPONSES
    assert counts == {"calling the completion hook": 2}
    (line,) = caplog.messages
    assert line == (
        "otel-agents: the completion hook failed (ValueError), so it did not see that content; "
        "further failures are only counted"
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (
            "no-such-hook",
            f"LookupError: no entry point of that name in the group {GROUP}",
        ),
        ("no_such_module:hook", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("json:no_such_hook", "AttributeError: module 'json' has no attribute 'no_such_hook'"),
    ],
)
def test_a_named_hook_that_cannot_be_loaded_is_logged_once(
    name: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    gates = [Gate(Settings.read({NAMED: name})) for _ in range(3)]  # three instrumentors
    assert caplog.messages == []
    for gate in gates:
        emitted(gate, recorded(), **WHOLE)
        assert gate.policy.has_completion_hook is False
    (line,) = caplog.messages
    assert line == (
        f"otel-agents: the completion hook {name!r} cannot be loaded ({why}), so none is called; "
        "install what provides it, correct OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK, or unset it"
    )


def test_an_invalid_hook_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert completion.load(print, None) is None
    assert "has no on_completion" in caplog.text or "without on_completion" in caplog.text


def test_an_argument_takes_precedence_over_the_setting() -> None:
    hook = Hook()
    emitted(Gate(Settings.read({NAMED: "never-looked-for"}), hook), recorded(), **WHOLE)
    assert len(hook.given) == 1


def test_the_official_package_is_imported_only_for_a_hook() -> None:
    code = (
        "import sys\n"
        "from otel_agents.instrumentors._core.telemetry.gate import Gate\n"
        "from otel_agents.instrumentors.settings import Settings\n"
        "Gate(Settings.read({}))\n"
        "print([m for m in sys.modules if m.startswith('opentelemetry.util.genai')])"
    )
    ran = subprocess.run(  # a new process: other tests import it here
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout == "[]\n"


def test_our_classes_equal_the_official_ones(types: str) -> None:
    made = completion_objects.message_object("InputMessage", REQUESTS[2])
    assert [(type(part).__name__, asdict(part)) for part in made.parts] == [
        ("ReasoningPart", {"content": "hm", "type": "reasoning"}),
        (
            "ToolCallRequestPart",
            {"arguments": ARGUMENTS, "name": "weather", "id": "c", "type": "tool_call"},
        ),
        (
            "ServerToolCallPart",
            {
                "name": "s",
                "server_tool_call": {"type": "s"},
                "id": None,
                "type": "server_tool_call",
            },
        ),
        ("CompactionPart", {"id": "k", "content": None, "type": "compaction"}),
    ]
    assert type(made).__module__ == types
