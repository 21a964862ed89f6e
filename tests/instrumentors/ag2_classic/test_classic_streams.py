"""Streams: the same spans, with the provider's usage and never AutoGen's own count."""

from __future__ import annotations

import base64
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from conversations import CHAT, OLDEST, agent, calculator, config, executor, talk, turn_of

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Abort, Response, ScriptedModel, Status, ToolCall

USAGE = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
SINGLE_BYTES = b"".join(
    base64.b64encode(bytes([number])) + f" {number}\n".encode() for number in range(256)
)


@pytest.fixture(autouse=True)
def one_byte_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each byte a token for clients that count tokens, which would download an encoding."""

    def read(path: str, expected_hash: str | None = None) -> bytes:
        return SINGLE_BYTES

    monkeypatch.setattr(import_module("tiktoken.load"), "read_file_cached", read)
    monkeypatch.setattr(import_module("tiktoken.registry"), "ENCODINGS", {})


@pytest.fixture(params=[True, False], ids=["sdk on", "sdk off"])
def sdk(request: pytest.FixtureRequest, instrument: Callable[..., None]) -> bool:
    """Instrument with and without the SDK's instrumentor."""
    instrument(sdk=request.param)
    return request.param


def calls(emission: Emission) -> list[dict[str, Any]]:
    return [dict(span.attributes or {}) for span in emission.spans if span.name == CHAT]


def check_bill(emission: Emission, model: ScriptedModel, *, usage_sent: bool = True) -> None:
    """Compare calls with the ledger and agents with its sums; without usage if none was sent."""
    spans, entries = calls(emission), model.ledger.entries
    assert [span["gen_ai.response.id"] for span in spans] == [e.response_id for e in entries]
    assert [span["gen_ai.request.stream"] for span in spans] == [True] * len(entries)
    usage = [(e.input_tokens, e.output_tokens) if usage_sent else (None, None) for e in entries]
    assert [tuple(map(span.get, USAGE)) for span in spans] == usage
    agents = [s.attributes or {} for s in emission.spans if s.name == "invoke_agent assistant"]
    assert [tuple(map(span.get, USAGE)) for span in agents] == usage


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("usage_requested", [True, False], ids=["usage requested", "not requested"])
def test_a_stream(
    usage_requested: bool, asynchronous: bool, sdk: bool, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("one two three"))
    more = {"stream_options": {"include_usage": True}} if usage_requested else {}
    assistant = agent("assistant", model, llm_config=config(model, stream=True, **more))
    result = talk(executor(), assistant, max_turns=1, asynchronous=asynchronous)
    assert result.summary == "one two three"
    assert emission.tree() == ["invoke_workflow", *turn_of("assistant", CHAT)]
    # Later versions request the usage themselves.
    usage_sent = not OLDEST or (usage_requested and sdk)
    check_bill(emission, model, usage_sent=usage_sent)
    (entry,) = model.ledger.entries
    assert entry.status is (Status.UNBILLED if OLDEST and not usage_requested else Status.BILLED)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_streamed_tool_call(
    asynchronous: bool, sdk: bool, model: ScriptedModel, emission: Emission
) -> None:
    def echo(a: str) -> str:
        return a

    model.script(Response(tool_calls=[ToolCall("calculate", {"a": "1"}, id="c1")]), Response("one"))
    usage = {"stream_options": {"include_usage": True}}
    assistant, user = calculator(model, echo, llm_config=config(model, stream=True, **usage))
    talk(user, assistant, max_turns=2, asynchronous=asynchronous)
    assert emission.tree() == [
        "invoke_workflow",
        *turn_of("assistant", CHAT),
        *turn_of("user", "execute_tool calculate"),
        *turn_of("assistant", CHAT),
    ]
    check_bill(emission, model, usage_sent=sdk or not OLDEST)
    reasons = [span["gen_ai.response.finish_reasons"] for span in calls(emission)]
    assert reasons == [("tool_calls",), ("stop",)]
    (tool,) = [s.attributes or {} for s in emission.spans if s.name.startswith("execute_tool")]
    assert tool["gen_ai.tool.call.id"] == "c1"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_broken_stream(
    asynchronous: bool, sdk: bool, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("one two three", fault=Abort(1)))
    assistant = agent("assistant", model, llm_config=config(model, stream=True))
    with pytest.raises(Exception, match=r"closed|Connection error") as raised:
        talk(executor(), assistant, max_turns=1, asynchronous=asynchronous)
    error = f"{type(raised.value).__module__.partition('.')[0]}.{type(raised.value).__name__}"
    ended = [(span.name, (span.attributes or {})["error.type"]) for span in emission.spans]
    assert ended == [(name, error) for name in (CHAT, "invoke_agent assistant", "invoke_workflow")]
