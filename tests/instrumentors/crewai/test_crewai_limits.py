"""Time limits, human input, and an application that serves several requests at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from crews import CHAT, agent, crew, run_of, task

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel

SECRET = "planted-secret"
SERVED = "GET /report"

pytestmark = pytest.mark.usefixtures("instrumented")


def errors(emission: Emission) -> list[tuple[str, Any]]:
    """Return name and error of each span, in the order of their end."""
    return [(span.name, (span.attributes or {}).get("error.type")) for span in emission.spans]


def billed(emission: Emission, model: ScriptedModel) -> None:
    """Check that the only model call has the billed usage."""
    (call,) = [span for span in emission.spans if span.name == CHAT]
    assert (call.attributes or {})["gen_ai.usage.input_tokens"] == model.ledger.input_tokens


def limited(llm: Any) -> Any:
    return crew(task(agent(llm, "Writer", max_execution_time=1), description=SECRET))


def test_a_run_that_takes_too_long(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("Done.", delay=1.2))  # the thread runs to its end
    with pytest.raises(TimeoutError):
        limited(llm).kickoff()
    assert emission.tree() == ["invoke_workflow", *run_of("Writer")]
    assert errors(emission) == [
        (CHAT, None),
        ("invoke_agent Writer", "TimeoutError"),
        ("task", "TimeoutError"),
        ("invoke_workflow", "TimeoutError"),
    ]
    billed(emission, model)
    assert SECRET not in emission.texts()


def test_an_asynchronous_run_that_takes_too_long(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("Done.", delay=1.2))  # called in a thread, which runs to its end
    with pytest.raises(TimeoutError):
        asyncio.run(limited(llm).akickoff())
    assert emission.tree() == ["invoke_workflow", *run_of("Writer")]
    assert dict(errors(emission)) == {
        CHAT: None,
        "invoke_agent Writer": "TimeoutError",
        "task": "TimeoutError",
        "invoke_workflow": "TimeoutError",
    }
    billed(emission, model)
    assert SECRET not in emission.texts()


def test_human_input_of_an_asynchronous_crew(
    llm: Any, model: ScriptedModel, emission: Emission, typed: Callable[[str], None]
) -> None:
    typed(f"{SECRET}\n\n")
    asyncio.run(crew(task(agent(llm, "Writer"), human_input=True)).akickoff())
    calls = (CHAT, "human_input", CHAT, "human_input")
    assert emission.tree() == ["invoke_workflow", *run_of("Writer", *calls)]
    assert model.ledger.requests == 2
    assert SECRET not in emission.texts()


def test_a_server_runs_a_crew_for_each_request(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    tracer = emission.tracer_provider.get_tracer("server")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        with tracer.start_as_current_span(SERVED):
            done = await crew(task(agent(llm, "Writer"))).akickoff()
        writer.write(str(done.raw).encode())
        writer.close()
        await writer.wait_closed()

    async def send_request(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"report\n")
        response = await reader.read()
        writer.close()
        return response

    async def main() -> list[bytes]:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port: int = server.sockets[0].getsockname()[1]
            return await asyncio.gather(*(send_request(port) for _ in range(3)))

    assert asyncio.run(main()) == [b"Hello from the scripted model."] * 3
    request = [SERVED, "  invoke_workflow", *run_of("Writer", depth=2)]
    assert emission.tree() == request * 3
    assert (emission.traces(), model.ledger.requests) == (3, 3)


def test_an_agent_alone_in_every_form(llm: Any, emission: Emission) -> None:
    async def main() -> None:
        await agent(llm, "Writer").akickoff("hi")
        await asyncio.gather(*(agent(llm, "Writer").kickoff_async("hi") for _ in range(2)))

    agent(llm, "Writer").kickoff("hi")
    asyncio.run(main())
    agent(llm, "Writer").kickoff([{"role": "user", "content": "hi"}])
    assert emission.tree() == ["invoke_agent Writer", f"  {CHAT}"] * 5


def test_a_run_continues_from_a_checkpoint(
    llm: Any, model: ScriptedModel, emission: Emission, tmp_path: Path
) -> None:
    state: Any = import_module("crewai.state.checkpoint_config")
    one = crew(task(agent(llm, "Writer"), name="first"), task(agent(llm, "Editor"), name="last"))
    one.kickoff(from_checkpoint=state.CheckpointConfig(location=str(tmp_path)))
    path = min(tmp_path.rglob("*.json"), key=lambda kept: kept.stat().st_mtime_ns)
    kept = state.CheckpointConfig(location=str(tmp_path), restore_from=str(path))
    assert one.kickoff(from_checkpoint=kept).raw == "Hello from the scripted model."
    whole = [*run_of("Writer", name="first"), *run_of("Editor", name="last")]
    rest = run_of("Editor", name="last")
    assert emission.tree() == ["invoke_workflow", *whole, "invoke_workflow", *rest]
    assert model.ledger.requests == 3
