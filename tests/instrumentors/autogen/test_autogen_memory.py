"""Memory: what an agent looks up before its model call, and what an application stores."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from autogen_teams import CHAT, assistant, turn

from otel_agents.testing.emission import Emission

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
SECRET = "planted-secret"
memory: Any = import_module("autogen_core.memory")


def content(text: str = SECRET) -> Any:
    return memory.MemoryContent(content=text, mime_type="text/plain", metadata={"source": "tea"})


class Searching(memory.ListMemory):
    """A memory whose `update_context` calls its own `query` and its base class."""

    async def update_context(self, model_context: Any) -> Any:
        await self.query("the last message")
        return await memory.ListMemory.update_context(self, model_context)


async def with_memory(client: Any, *memories: Any) -> None:
    for one in memories:
        await one.add(content())
    await assistant("first", client, memory=list(memories)).run(task="go")


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("kind", [memory.ListMemory, Searching])
def test_an_agent_searches_before_its_model_call(
    kind: Any, run: Any, client: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    run(with_memory(client, kind()))
    assert emission.tree() == ["create_memory", *turn("first", "search_memory", CHAT, depth=0)]
    recorded = {s.name: dict(s.attributes or {}) for s in emission.spans if "memory" in s.name}
    assert recorded == {
        name: {"gen_ai.operation.name": name, "gen_ai.memory.record.count": 1}
        for name in ("create_memory", "search_memory")
    }
    assert SECRET not in emission.texts()
    balanced()


@pytest.mark.usefixtures("instrumented")
def test_every_memory_is_searched(run: Any, client: Any, emission: Emission) -> None:
    run(with_memory(client, memory.ListMemory(), Searching()))
    searches = ["search_memory", "search_memory", CHAT]
    assert emission.tree() == ["create_memory"] * 2 + turn("first", *searches, depth=0)


def test_content(
    run: Any, client: Any, emission: Emission, instrument: Callable[..., None]
) -> None:
    instrument(**{CAPTURE: "SPAN_ONLY"})
    kept = memory.ListMemory()

    async def main() -> None:
        await kept.add(content("tea"))
        assert len((await kept.query("what to drink")).results) == 1

    run(main())
    records = [{"content": "tea", "metadata": {"source": "tea"}}]
    created, searched = [dict(span.attributes or {}) for span in emission.spans]
    assert [json.loads(str(s["gen_ai.memory.records"])) for s in (created, searched)] == [
        records
    ] * 2
    assert searched["gen_ai.memory.query.text"] == "what to drink"


@pytest.mark.usefixtures("instrumented")
def test_a_memory_that_fails(run: Any, client: Any, emission: Emission) -> None:
    class Forgetful(memory.ListMemory):
        async def update_context(self, model_context: Any) -> Any:
            raise LookupError(SECRET)

    with pytest.raises(LookupError):
        run(assistant("first", client, memory=[Forgetful()]).run(task="go"))
    assert emission.tree() == turn("first", "search_memory", depth=0)
    assert [(s.attributes or {})["error.type"] for s in emission.spans] == ["LookupError"] * 2
    assert SECRET not in emission.texts()
