"""Tags and metadata: content of which there is a fixed number at most, within the budget."""

from __future__ import annotations

from typing import Any

from contents import on_event, on_span

from otel_agents.instrumentors._core.telemetry.gate import Gate
from otel_agents.instrumentors.settings import Settings

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
TAGS, METADATA = "otel_agents.tags", "otel_agents.metadata"


def gate(hook: Any = None, **environ: str) -> Gate:
    settings = Settings.read({CAPTURE: "SPAN_AND_EVENT", **environ})
    return Gate(settings, redaction_hook=hook)


def test_tags_are_one_attribute_and_metadata_one_each() -> None:
    values: dict[str, Any] = {"tags": ["beta", "eu"], "metadata": {"customer": "acme", "n": 3}}
    expected = {f"{METADATA}.customer": "acme", f"{METADATA}.n": "3"}
    assert on_span(gate(), **values) == {TAGS: ("beta", "eu"), **expected}
    assert on_event(gate(), **values) == {TAGS: ["beta", "eu"], **expected}


def test_a_redaction_hook_sees_both() -> None:
    def redact(kind: str, value: Any) -> Any:
        return {"tags": ["-"], "metadata": {"customer": "-"}}[kind]

    assert on_span(gate(redact), tags=["secret"], metadata={"customer": "secret"}) == {
        TAGS: ("-",),
        f"{METADATA}.customer": "-",
    }


def test_many_are_truncated_and_marked() -> None:
    many = [f"t{n:02}" for n in range(40)]
    found = on_span(gate(), tags=many, metadata=dict.fromkeys(many, "x"))
    assert found[TAGS] == tuple(many[:32])
    assert [name for name in found if name.startswith(METADATA)] == [
        f"{METADATA}.{name}" for name in many[:32]
    ]
    assert found["otel_agents.content.truncated"] == (TAGS, METADATA)
    assert found["otel_agents.content.original_bytes"] >= 120


def test_tags_beyond_the_budget_are_dropped_whole() -> None:
    found = on_span(gate(OTEL_AGENTS_CONTENT_MAX_BYTES="10"), tags=["12345678", "123"])
    assert found == {
        TAGS: ("12345678",),
        "otel_agents.content.truncated": (TAGS,),
        "otel_agents.content.original_bytes": 11,
    }


def test_nothing_of_them_leaves_by_default() -> None:
    assert on_span(Gate(Settings.read({})), tags=["secret"], metadata={"a": "secret"}) == {}
