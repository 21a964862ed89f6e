"""Sampling: a server calls the client's model, which is counted once, whoever calls it."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import anyio
import pytest
from mcp_peers import connected
from mcp_server import NEWEST, SECRET, weather_server
from opentelemetry import baggage
from opentelemetry.context import attach, detach
from opentelemetry.trace import SpanKind

from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import Response, ScriptedModel

types: Any = import_module("mcp.types")
CALL = "tools/call sampled"
REQUEST = "sampling/createMessage"


def message(text: str) -> Any:
    """Return what a callback returns."""
    reason = {"stop_reason" if NEWEST else "stopReason": "endTurn"}
    content = types.TextContent(type="text", text=text)
    return types.CreateMessageResult(role="assistant", content=content, model="m-1", **reason)


async def canned(context: Any, params: Any) -> Any:
    """Return what a model of the application's own says."""
    return message(f"In {SECRET}.")


async def declining(context: Any, params: Any) -> Any:
    """Refuse."""
    return types.ErrorData(code=-1, message="no")


async def raising(context: Any, params: Any) -> Any:
    """Fail."""
    raise LookupError(SECRET)


async def use(callback: Any) -> Any:
    try:
        async with connected(weather_server(), sampling_callback=callback) as session:
            return await session.call_tool("sampled", {})
    except Exception as error:  # noqa: BLE001  mcp 2 passes it on; mcp 1.6 ends the session
        return error


def below_the_call(emission: Emission) -> list[str]:
    """Return the tree of the call of the tool."""
    tree = emission.tree()
    start = tree.index(CALL)
    return [tree[start], *(line for line in tree[start + 1 :] if line.startswith(" "))]


REQUESTED = [CALL, f"  {CALL}", f"    {REQUEST}", f"      {REQUEST}"]


@pytest.mark.usefixtures("instrumented")
def test_a_model_that_nothing_else_records(run: Any, emission: Emission) -> None:
    run(use(canned))
    assert below_the_call(emission)[:5] == [*REQUESTED, "        chat"]
    (chat,) = (s for s in emission.spans if s.name == "chat")
    assert dict(chat.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "custom",
        "gen_ai.request.max_tokens": 20,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.model": "m-1",
    }
    kinds = [s.kind for s in emission.spans if s.name == REQUEST]
    assert kinds == [SpanKind.SERVER, SpanKind.CLIENT]
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_meta_carries_the_context_to_the_client(run: Any, emission: Emission) -> None:
    """Each of two calls at the same time has its own; with the application's baggage."""
    seen: list[tuple[str, object]] = []

    async def meeting(context: Any, params: Any) -> Any:
        meta: Any = getattr(params, "meta", None)
        known: Any = getattr(meta, "model_extra", meta)
        seen.append((known["traceparent"].split("-")[2], baggage.get_baggage("shop")))
        return message("here")

    async def sampled(session: Any, shop: str) -> None:
        token = attach(baggage.set_baggage("shop", shop))
        try:
            await session.call_tool("sampled", {})
        finally:
            detach(token)

    async def both() -> None:
        async with (
            connected(weather_server(), sampling_callback=meeting) as session,
            anyio.create_task_group() as group,
        ):
            for shop in ("north", "south"):
                group.start_soon(sampled, session, shop)

    run(both())
    spans = {s.context.span_id: s for s in emission.spans if s.context}
    sent = [s for s in spans.values() if s.name == REQUEST and s.kind is SpanKind.CLIENT]
    received = [s for s in spans.values() if s.name == REQUEST and s.kind is SpanKind.SERVER]
    parents = {s.parent.span_id for s in received if s.parent}
    assert parents == {s.context.span_id for s in sent if s.context}
    assert {f"{parent:016x}" for parent in parents} == {span_id for span_id, _ in seen}
    assert {shop for _, shop in seen} == {"north", "south"}
    assert len({s.context.trace_id for s in received if s.context}) == 2


@pytest.mark.usefixtures("with_content")
def test_its_content(run: Any, emission: Emission) -> None:
    run(use(canned))
    (chat,) = (s for s in emission.spans if s.name == "chat")
    found = {
        key: json.loads(str(value))
        for key, value in (chat.attributes or {}).items()
        if "messages" in key or "system" in key
    }
    part = {"type": "text", "content": f"Where is {SECRET}?"}
    assert found == {
        "gen_ai.input.messages": [{"role": "user", "parts": [part]}],
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": f"In {SECRET}."}],
                "finish_reason": "stop",
            }
        ],
        "gen_ai.system_instructions": [{"type": "text", "content": f"Be {SECRET}."}],
    }


@pytest.mark.parametrize("callback", [declining, raising])
@pytest.mark.usefixtures("instrumented")
def test_no_model_is_called(callback: Any, run: Any, emission: Emission) -> None:
    run(use(callback))
    assert below_the_call(emission)[:4] == REQUESTED
    assert not [s for s in emission.spans if s.name.startswith("chat")]
    assert SECRET not in emission.texts()


@pytest.mark.parametrize("code", [-32600, -32602])
@pytest.mark.usefixtures("instrumented")
def test_a_client_that_rejects_the_request_is_not_called_twice(code: int, run: Any) -> None:
    """Its callback may have called a model, or bothered a human."""
    called: list[Any] = []

    async def rejecting(context: Any, params: Any) -> Any:
        called.append(params)
        return types.ErrorData(code=code, message="not with this prompt")

    run(use(rejecting))
    assert len(called) == 1


def test_a_model_of_an_sdk_is_counted_once(
    run: Any, model: ScriptedModel, emission: Emission, instrumentor: Any
) -> None:
    openai: Any = import_module("openai")

    async def calling(context: Any, params: Any) -> Any:
        async with openai.AsyncOpenAI(base_url=model.openai_url, api_key="none") as client:
            messages = [{"role": "user", "content": "Where?"}]
            response = await client.chat.completions.create(model="gpt-4o-mini", messages=messages)
        return message(response.choices[0].message.content)

    model.script(Response("In Bern."))
    with instrumenting(emission, instrumentor(), OpenAIInstrumentor()) as instrument:
        instrument()
        run(use(calling))
    assert below_the_call(emission)[:5] == [*REQUESTED, "        chat gpt-4o-mini"]
    assert [s.name for s in emission.spans if s.name.startswith("chat")] == ["chat gpt-4o-mini"]
